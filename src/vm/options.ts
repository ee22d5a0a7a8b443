/**
 * Looks at the options that something is made with: a misspelt one would be as if it were not there.
 *
 * @throws TypeError for one that there is not
 */
export function checkOptions(what: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown !== undefined) throw new TypeError(`${what} has no option ${unknown}; it has ${known.join(', ')}`)
}

/**
 * Looks at a number that something is made with.
 *
 * @throws RangeError for anything but a whole number in the range
 */
export function checkNumber(what: string, value: unknown, least: number, most: number): void {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
    throw new RangeError(
      `${what} must be a whole number from ${least} to ${most}, and is ${typeof value === 'object' ? 'none' : String(value)}`,
    )
}
