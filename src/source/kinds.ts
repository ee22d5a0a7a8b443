/** What a setting or an option may be: the words of messages, and the test for it. */
export type Kind = readonly [what: string, fits: (value: unknown) => boolean]

/** A truth value. */
export const YES: Kind = ['true or false', (value) => typeof value === 'boolean']

/** An object that is no list. */
export const OBJECT: Kind = [
  'an object',
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
]

/** One of some words. */
export function oneOf(...words: readonly string[]): Kind {
  return [words.join(' or '), (value) => words.includes(value as string)]
}
