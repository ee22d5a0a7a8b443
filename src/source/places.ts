/** How paths of the simulated machine's files begin, as they are shown; a user's file of that name is shown with `./` before it. */
export const LIBRARY = 'vmcheck/vm/'

/** Whether a place is in the model's own files, not in those of the simulated machine. */
export function isOwn<T extends { readonly file: string }>(at: T | null): at is T {
  return at !== null && !at.file.startsWith(LIBRARY)
}
