import { suggestion } from '../source/suggestion.ts'

/** A parameter's range, default and reading from text. */
export interface Parameter<T> {
  /** The kind of its values. */
  readonly kind: 'int' | 'choice' | 'boolean'
  /** Its value unless another is given. */
  readonly default: T
  /** Words for listings and messages, such as `1..6` or `none|in-transition`. */
  readonly describe: string
  /** The value that the text of `--set KEY=VALUE` means, or undefined. */
  parse(text: string): T | undefined
  /** Whether a value given in a scenario is within the range. */
  accepts(value: unknown): boolean
}

/** The declared parameters of a model by name. */
export type Parameters = Readonly<Record<string, Parameter<unknown>>>

/** The values of declared parameters. */
export type ParameterValues<P extends Parameters> = {
  readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never
}

/** A request that names an unknown parameter or a value out of its range. */
export class ParameterError extends Error {
  /** The name that tells this error from others. */
  override readonly name = 'ParameterError'
}

/**
 * A whole number within bounds.
 * @throws RangeError when the default is out of the bounds; TypeError without bounds
 */
export function int(fallback: number, bounds: { readonly min: number; readonly max: number }): Parameter<number> {
  if (
    typeof bounds !== 'object' ||
    bounds === null ||
    !Number.isInteger(bounds.min) ||
    !Number.isInteger(bounds.max) ||
    bounds.max < bounds.min
  ) {
    throw new TypeError(`int(${String(fallback)}, ...): give the bounds as { min: 1, max: 4 }`)
  }
  const accepts = (value: unknown): boolean =>
    typeof value === 'number' && Number.isInteger(value) && value >= bounds.min && value <= bounds.max
  if (!accepts(fallback))
    throw new RangeError(`int(${fallback}): the default is not within ${bounds.min}..${bounds.max}`)
  return {
    kind: 'int',
    default: fallback,
    describe: `${bounds.min}..${bounds.max}`,
    accepts,
    parse: (text) => (/^-?\d+$/.test(text) && accepts(Number(text)) ? Number(text) : undefined),
  }
}

/** A parameter whose values are words. */
export interface Choice<W extends string> extends Parameter<W> {
  /**
   * The same parameter; `--set` also takes former words, by the word that each is now: `{ R1: 'waiter-serves' }`.
   * @throws TypeError when a former word is still one of the values, or its new word is none
   */
  formerly(words: Readonly<Record<string, W>>): Choice<W>
}

/** One of the given words; the first is the default. */
export function choice<const W extends readonly [string, ...string[]]>(...words: W): Choice<W[number]> {
  if (words.length === 0 || words.some((word) => typeof word !== 'string'))
    throw new TypeError('choice(...): give words, the default first')
  return choiceOf(words, new Map())
}

function choiceOf<W extends string>(words: readonly [W, ...W[]], former: ReadonlyMap<string, W>): Choice<W> {
  return {
    kind: 'choice',
    default: words[0],
    describe: words.join('|'),
    accepts: (value) => words.includes(value as W),
    parse: (text) => words.find((word) => word === text) ?? former.get(text),
    formerly(renamed) {
      if (typeof renamed !== 'object' || renamed === null || Array.isArray(renamed))
        throw new TypeError("choice(...).formerly: give the present word of each former one: { old: 'new' }")
      for (const [old, word] of Object.entries(renamed)) {
        if (words.includes(old as W)) throw new TypeError(`choice(...).formerly: ${old} is still a value`)
        if (!words.includes(word)) throw new TypeError(`choice(...).formerly: ${old} names ${word}, which is no value`)
        if (former.has(old)) throw new TypeError(`choice(...).formerly: ${old} names ${former.get(old)} already`)
      }
      return choiceOf(words, new Map([...former, ...Object.entries(renamed)]))
    },
  }
}

/** True or false. */
export function boolean(fallback: boolean): Parameter<boolean> {
  if (typeof fallback !== 'boolean')
    throw new TypeError(`boolean(${fallback === undefined ? '' : String(fallback)}): give the default, true or false`)
  return {
    kind: 'boolean',
    default: fallback,
    describe: 'true|false',
    accepts: (value) => typeof value === 'boolean',
    parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  }
}

function nearby(name: string, known: readonly string[]): string {
  return known.length === 0
    ? 'this model has no parameters'
    : `known: ${known.join(', ')} (not ${name})${suggestion(name, known)}`
}

/** The parameter of a name; names on every object's prototype are none. */
function named(declared: Parameters, name: string): Parameter<unknown> | undefined {
  return Object.hasOwn(declared, name) ? declared[name] : undefined
}

/** The name and the text of a setting; the name is empty without a `=`. */
function partsOf(setting: string): readonly [name: string, text: string] {
  const at = setting.indexOf('=')
  return [setting.slice(0, Math.max(0, at)), setting.slice(at + 1)]
}

/** Settings with the present words of values that were renamed: `kernel=serve-waiting` for `kernel=R1`. */
export function presentSettings(declared: Parameters, settings: readonly string[]): readonly string[] {
  return settings.map((setting) => {
    const [name, text] = partsOf(setting)
    const parameter = named(declared, name)
    const value = parameter?.kind === 'choice' ? parameter.parse(text) : undefined
    return value === undefined ? setting : `${name}=${String(value)}`
  })
}

/**
 * The values of all parameters as a report has saved them: former words become present ones, and what was not saved has
 * its default.
 * @throws ParameterError for a parameter that is not declared, or a value that it does not take
 */
export function savedParameters(
  declared: Parameters,
  saved: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const settings = Object.entries(saved).map(([name, value]) => `${name}=${String(value)}`)
  return resolveParameters(declared, {}, settings, '')
}

/**
 * The values of all parameters: defaults, overridden by the scenario's, overridden by `KEY=VALUE` texts.
 *
 * @param option what messages write before such a text
 * @throws ParameterError on an unknown name, a text that is not `KEY=VALUE`, or a value out of range
 */
export function resolveParameters(
  declared: Parameters,
  scenario: Readonly<Record<string, unknown>>,
  settings: readonly string[],
  option = '--set ',
): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [name, parameter] of Object.entries(declared)) values[name] = parameter.default
  for (const [name, value] of Object.entries(scenario)) {
    const parameter = named(declared, name)
    if (!parameter)
      throw new ParameterError(
        `the scenario sets an unknown parameter "${name}"; ${nearby(name, Object.keys(declared))}`,
      )
    if (!parameter.accepts(value))
      throw new ParameterError(`the scenario sets ${name} to ${String(value)}; it takes ${parameter.describe}`)
    values[name] = value
  }
  for (const setting of settings) {
    const [name, text] = partsOf(setting)
    if (name === '') throw new ParameterError(`${option}${setting}: write ${option}KEY=VALUE`)
    const parameter = named(declared, name)
    if (!parameter)
      throw new ParameterError(`${option}${setting}: unknown parameter; ${nearby(name, Object.keys(declared))}`)
    const value = parameter.parse(text)
    if (value === undefined)
      throw new ParameterError(
        `${option}${setting}: ${name} takes ${parameter.describe}${suggestion(text, parameter.describe.split('|'))}`,
      )
    values[name] = value
  }
  return values
}
