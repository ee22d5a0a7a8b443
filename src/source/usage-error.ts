/** The request cannot be carried out as it was put: one line that says what to do. Exit status 2. */
export class UsageError extends Error {
  /** The name that tells this error from others. */
  override readonly name = 'UsageError'
}
