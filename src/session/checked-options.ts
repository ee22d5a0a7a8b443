import { type Kind, OBJECT, YES, oneOf, shown } from '../source/kinds.ts'
import { STRATEGY_NAMES } from '../source/strategy-names.ts'
import { suggestion } from '../source/suggestion.ts'
import { UsageError } from '../source/usage-error.ts'
import type { ExploreOptions } from './options.ts'

/** A text. */
export const TEXT: Kind = ['a text', (value) => typeof value === 'string']
/** A number: its range is tested where it is known. */
export const NUMBER: Kind = ['a number', (value) => typeof value === 'number']
/** A function. */
export const FUNCTION: Kind = ['a function', (value) => typeof value === 'function']
/** A list of texts. */
export const TEXTS: Kind = ['a list of texts', (value) => Array.isArray(value) && value.every(TEXT[1])]
const SIGNAL: Kind = ['an AbortSignal', (value) => value instanceof AbortSignal]

/** The kind of every option that there is. */
export type Kinds<T> = { readonly [K in keyof Required<T>]: Kind }

/** Where a search runs, and how it is ended. */
export const SURROUNDINGS = {
  cwd: TEXT,
  cache: ['a text or null', (value) => value === null || TEXT[1](value)],
  signal: SIGNAL,
} as const satisfies Readonly<Record<string, Kind>>

const EXPLORE: Kinds<ExploreOptions> = {
  scenario: TEXT,
  set: ['a list of KEY=VALUE, or an object', (value) => TEXTS[1](value) || OBJECT[1](value)],
  granularity: oneOf('step', 'access'),
  check: TEXTS,
  noCheck: TEXTS,
  keepGoing: YES,
  strategy: oneOf(...STRATEGY_NAMES),
  reduce: oneOf('none', 'symmetry', 'por', 'all'),
  seed: NUMBER,
  runs: NUMBER,
  bugDepth: NUMBER,
  preemptions: NUMBER,
  workers: NUMBER,
  maxStates: NUMBER,
  maxDepth: NUMBER,
  time: NUMBER,
  memory: TEXT,
  checkpoint: TEXT,
  resume: TEXT,
  checkpointEvery: NUMBER,
  explain: YES,
  profile: YES,
}

/**
 * Checks the names and kinds of what a caller of {@link explore} gives.
 * @throws UsageError for an option that there is not, or one of another kind
 */
export function checkExploreOptions(path: unknown, options: object): void {
  if (typeof path !== 'string') throw new UsageError(`explore: the path of a model is a text, not ${shown(path)}`)
  checkOptions('explore', options, { ...EXPLORE, ...SURROUNDINGS, onProgress: FUNCTION })
}

/**
 * Checks the names and kinds of options.
 * @throws UsageError for an option that there is not, or one of another kind
 */
export function checkOptions(caller: string, options: unknown, known: Readonly<Record<string, Kind>>): void {
  if (!OBJECT[1](options)) throw new UsageError(`${caller}: the options are an object, not ${shown(options)}`)
  for (const [name, value] of Object.entries(options as object)) {
    const kind = Object.hasOwn(known, name) ? known[name] : undefined
    if (!kind)
      throw new UsageError(
        `${caller}: unknown option ${name}${suggestion(name, Object.keys(known)) || `; known: ${Object.keys(known).join(', ')}`}`,
      )
    if (value !== undefined && !kind[1](value))
      throw new UsageError(`${caller}: ${name} is ${shown(value)}, and should be ${kind[0]}`)
  }
}
