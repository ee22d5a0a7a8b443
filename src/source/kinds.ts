/** What a setting or an option may be: the words of messages, and the test for it. */
export type Kind = readonly [what: string, fits: (value: unknown) => boolean]

/** A truth value. */
export const YES: Kind = ['true or false', (value) => typeof value === 'boolean']

/** An object as `{ ... }` makes it. */
export const OBJECT: Kind = ['an object', isPlain]

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // of another realm, such as a configuration's, `Object.prototype` is another one
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** A value as messages show it. */
export function shown(value: unknown): string {
  try {
    return (typeof value === 'object' && !(value instanceof Error) ? JSON.stringify(value) : undefined) ?? textOf(value)
  } catch {
    return 'an object that cannot be shown'
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** One of some words. */
export function oneOf(...words: readonly string[]): Kind {
  return [words.join(' or '), (value) => words.includes(value as string)]
}
