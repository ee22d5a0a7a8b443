/** Whether a place is in the model's own files, not in those of the simulated machine. */
export function isOwn<T extends { readonly file: string }>(at: T | null): at is T {
  return at !== null && !at.file.startsWith('vmcheck/vm/')
}
