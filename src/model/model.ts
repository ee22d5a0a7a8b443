import type { Machine } from './machine.ts'
import { oneLine } from '../source/texts.ts'
import { type ParameterValues, type Parameters, resolveParameters } from './parameters.ts'
import { VIOLATION_KINDS, type ViolationKind } from './verdict.ts'

/** The expectation of a scenario: a kind of violation or `pass`, and perhaps the property and exact counts. */
export type Expectation =
  | 'pass'
  | ViolationKind
  | {
      readonly verdict: 'pass' | ViolationKind
      readonly property?: string
      readonly states?: number
      readonly transitions?: number
      readonly depth?: number
    }

/** A violation that a scenario knows of: any of a kind, or one of some property. */
export type KnownViolation = ViolationKind | { readonly kind: ViolationKind; readonly property?: string }

/** A named choice of parameters with what is expected of it. */
export interface Scenario<V> {
  /** Its subject, in a few words. */
  readonly about?: string
  /** The name, or names, that it had: commands, configurations and baselines may still use them. */
  readonly formerly?: string | readonly string[]
  /** Values of parameters, over their defaults. */
  readonly params?: Partial<V>
  /** The verdict that exploring it must give. */
  readonly expect: Expectation
  /** Other violations that the search must find when it continues after the first. */
  readonly finds?: readonly KnownViolation[]
  /** Other violations that the search may find. */
  readonly allows?: readonly KnownViolation[]
  /** The checks it is about; all, unless given. */
  readonly checks?: readonly string[]
  /** Default granularity of this scenario; `step`, unless given. */
  readonly granularity?: 'step' | 'access'
  /** Takes long: left to longer test runs. */
  readonly large?: boolean
}

/** A scenario as an author writes it: it is expected to pass unless it says otherwise. */
export type ScenarioDefinition<V> = Omit<Scenario<V>, 'expect'> & { readonly expect?: Expectation }

/** The definition of a model, for {@link model}. */
export interface ModelDefinition<P extends Parameters> {
  /** Its subject, in a few words. */
  readonly title: string
  /** Its parameters, by name. */
  readonly params?: P
  /** Its scenarios, by name; the first is the usual one. */
  readonly scenarios?: Readonly<Record<string, ScenarioDefinition<ParameterValues<P>>>>
  /** Builds one machine, in the same way each time. */
  machine(m: Machine, params: ParameterValues<P>): void
}

/** A model as the rest of vmcheck sees it. */
export interface Model {
  /** Its subject, in a few words. */
  readonly title: string
  /** Its parameters, by name. */
  readonly parameters: Parameters
  /** Its scenarios, by name; the first is the usual one. */
  readonly scenarios: ReadonlyMap<string, Scenario<Record<string, unknown>>>
  /** Builds one machine. */
  build(m: Machine, params: Readonly<Record<string, unknown>>): void
}

/** A model that cannot be meant as it is written. */
export class ModelError extends Error {
  /** The name that tells this error from others. */
  override readonly name = 'ModelError'
}

const MODELS = new WeakSet<object>()

/** Whether a value was made by {@link model}. */
export function isModel(value: unknown): value is Model {
  return typeof value === 'object' && value !== null && MODELS.has(value)
}

/** A name that fits on a line of a report or a command. */
function isName(name: unknown): boolean {
  return typeof name === 'string' && name.trim() !== '' && oneLine(name) === name
}

/** The names that a scenario had. */
export function formerNames({ formerly = [] }: Pick<Scenario<never>, 'formerly'>): readonly string[] {
  return typeof formerly === 'string' ? [formerly] : formerly
}

/** The present name of the scenario that has a name, or had it; null: none. */
export function presentName({ scenarios }: Pick<Model, 'scenarios'>, name: string): string | null {
  if (scenarios.has(name)) return name
  return [...scenarios].find(([, scenario]) => formerNames(scenario).includes(name))?.[0] ?? null
}

/** The kind or `pass` that an expectation names. */
export function expectedVerdict(expect: Expectation): 'pass' | ViolationKind {
  return typeof expect === 'string' ? expect : expect.verdict
}

function checkKeys(scenario: string, what: string, value: unknown, known: readonly string[]): void {
  const unknown =
    typeof value === 'object' && value !== null ? Object.keys(value).find((key) => !known.includes(key)) : undefined
  if (unknown !== undefined)
    throw new ModelError(`scenario ${scenario}: ${what} says "${unknown}"; known: ${known.join(', ')}`)
}

function checkFormerNames(scenarios: Model['scenarios']): void {
  const names = new Map([...scenarios.keys()].map((name) => [name, name]))
  for (const [name, scenario] of scenarios) {
    const { formerly = [] } = scenario
    if (!(isName(formerly) || (Array.isArray(formerly) && formerly.every(isName))))
      throw new ModelError(`scenario ${name}: formerly takes a name, or a list of names`)
    for (const former of formerNames(scenario)) {
      const other = names.get(former)
      if (other !== undefined)
        throw new ModelError(`scenario ${name}: formerly says "${former}", which names ${other} already`)
      names.set(former, name)
    }
  }
}

/** The kind of a known violation. */
export function kindOf(known: KnownViolation): ViolationKind {
  return typeof known === 'string' ? known : known.kind
}

/**
 * Declares a model: a file's default export.
 * @throws ModelError when a scenario expects an unknown kind; ParameterError when it sets an unknown parameter or a value out of range
 */
export function model<const P extends Parameters = Record<never, never>>(definition: ModelDefinition<P>): Model {
  if (typeof definition?.title !== 'string' || typeof definition.machine !== 'function') {
    throw new ModelError('model({...}) needs a title and a machine(m, params) function')
  }
  const parameters = definition.params ?? {}
  const scenarios = new Map<string, Scenario<Record<string, unknown>>>()
  for (const [name, given] of Object.entries(definition.scenarios ?? { default: {} })) {
    if (!isName(name)) throw new ModelError(`a scenario is named ${JSON.stringify(name)}: give it a name of one line`)
    if (typeof given !== 'object' || given === null)
      throw new ModelError(
        `scenario ${name} is ${String(given)}: write { about: '...', params: { ... }, expect: 'pass' }`,
      )
    const scenario = { ...given, expect: given.expect ?? 'pass' }
    const expected = expectedVerdict(scenario.expect)
    if (expected !== 'pass' && !VIOLATION_KINDS.includes(expected)) {
      throw new ModelError(`scenario ${name} expects "${String(expected)}"; known: pass, ${VIOLATION_KINDS.join(', ')}`)
    }
    checkKeys(name, 'expect', scenario.expect, ['verdict', 'property', 'states', 'transitions', 'depth'])
    if (expected === 'pass' && (scenario.finds ?? []).length > 0)
      throw new ModelError(`scenario ${name} expects a pass and finds violations: name one of them in expect`)
    for (const known of [...(scenario.finds ?? []), ...(scenario.allows ?? [])]) {
      checkKeys(name, 'finds or allows', known, ['kind', 'property'])
      if (!VIOLATION_KINDS.includes(kindOf(known)))
        throw new ModelError(
          `scenario ${name} finds or allows "${String(kindOf(known))}"; known: ${VIOLATION_KINDS.join(', ')}`,
        )
    }
    resolveParameters(parameters, scenario.params ?? {}, [])
    scenarios.set(name, scenario as Scenario<Record<string, unknown>>)
  }
  checkFormerNames(scenarios)
  const made: Model = {
    title: definition.title,
    parameters,
    scenarios,
    build: (m, params) => definition.machine(m, params as ParameterValues<P>),
  }
  MODELS.add(made)
  return Object.freeze(made)
}
