import { checks as allChecks } from '../../checks/index.ts'
import { type LoadedModel, load } from '../runtime/load.ts'
import type { Reductions } from '../explore/search/engine.ts'
import type { StrategyName } from '../source/strategy-names.ts'
import type { Limits } from '../explore/search/search-result.ts'
import type { Granularity } from '../semantics/step-bounds.ts'
import { type System, buildSystem } from '../explore/state/system.ts'
import type { Tuning } from '../explore/store/tuning.ts'
import type { Check } from '../model/check.ts'
import { type Scenario, presentName } from '../model/model.ts'
import { ParameterError, resolveParameters } from '../model/parameters.ts'
import { VIOLATION_KINDS } from '../model/verdict.ts'
import { suggestion } from '../source/suggestion.ts'
import { UsageError } from '../source/usage-error.ts'

/** Which reductions are asked for. */
export type Reduce = 'none' | 'symmetry' | 'por' | 'all'

/** Where a search is kept, and whether it is to be taken up. */
export interface CheckpointRequest {
  readonly folder: string
  /** Whether a search may begin there. */
  readonly mayBegin: boolean
  /** Whether a checkpoint that is there may be continued. */
  readonly mayResume: boolean
  /** Seconds between two checkpoints. */
  readonly every: number
}

/** What one exploration is asked to do, defaults filled in. */
export interface ExploreRequest {
  readonly scenario: string | null
  readonly settings: readonly string[]
  /** Granularity asked for; null: the scenario's. */
  readonly granularity: Granularity | null
  readonly check: readonly string[]
  readonly noCheck: readonly string[]
  readonly keepGoing: boolean
  readonly strategy: StrategyName
  readonly reduce: Reduce
  /** Of the strategies that follow executions: see there. */
  readonly seed: number
  readonly runs: number
  readonly bugDepth: number
  readonly preemptions: number
  readonly workers: number
  readonly limits: Limits
  /** Where the search is kept; null: nowhere. */
  readonly checkpoint: CheckpointRequest | null
  /** Whether the report says which preemptions of a trace are essential. */
  readonly explain: boolean
  /** Whether the report says where the time went. */
  readonly profile: boolean
  /** Other sizes than the usual ones, on which no result depends. */
  readonly tuning?: Partial<Tuning>
}

/** The reductions asked for, with sets that are known not to be interchangeable. */
export function reductionsOf(reduce: Reduce, without: readonly string[]): Reductions {
  return {
    symmetry: reduce === 'symmetry' || reduce === 'all' ? { without } : null,
    partialOrder: reduce === 'por' || reduce === 'all',
  }
}

/** Which of a model's machines is meant. */
export interface Chosen {
  /** Of the scenario; null for a model without. */
  readonly name: string | null
  readonly scenario: Scenario<Record<string, unknown>> | null
  readonly params: Readonly<Record<string, unknown>>
}

/** A scenario ready to be searched. */
export interface Preparation extends Chosen {
  readonly granularity: Granularity
  readonly system: System
}

/**
 * Builds the machine of the scenario asked for, in a world of its own: machines freeze and number what they reach.
 * @throws UsageError for unknown scenarios or parameters; Refusal for a machine that cannot be built
 */
export function prepare(
  loaded: LoadedModel,
  request: Pick<ExploreRequest, 'scenario' | 'settings' | 'granularity'>,
): Preparation {
  const chosen = choose(loaded, request)
  return {
    ...chosen,
    granularity: request.granularity ?? chosen.scenario?.granularity ?? 'step',
    system: buildSystem(load(loaded.bundle), chosen.params),
  }
}

/**
 * The scenario asked for, and its parameters with the settings asked for.
 * @throws UsageError for unknown scenarios or parameters
 */
export function choose(loaded: LoadedModel, request: Pick<ExploreRequest, 'scenario' | 'settings'>): Chosen {
  const { name, scenario } = chooseScenario(loaded, request.scenario)
  return { name, scenario, params: parametersOf(loaded, scenario, request.settings) }
}

function chooseScenario(
  { model, bundle: { file } }: LoadedModel,
  asked: string | null,
): { name: string | null; scenario: Scenario<Record<string, unknown>> | null } {
  const known = [...model.scenarios.keys()]
  const wanted = asked ?? known[0] ?? null
  if (wanted === null) return { name: null, scenario: null }
  const name = presentName(model, wanted)
  const scenario = name === null ? undefined : model.scenarios.get(name)
  if (!scenario)
    throw new UsageError(
      `${file} has no scenario "${wanted}"; it has: ${known.join(', ') || 'none'}${suggestion(wanted, known)}`,
    )
  return { name, scenario }
}

function parametersOf(
  { model }: LoadedModel,
  scenario: Scenario<Record<string, unknown>> | null,
  settings: readonly string[],
): Record<string, unknown> {
  try {
    return resolveParameters(model.parameters, scenario?.params ?? {}, settings)
  } catch (error) {
    if (error instanceof ParameterError) throw new UsageError(error.message)
    throw error
  }
}

/**
 * The checks that are on.
 * @throws UsageError for unknown ones
 */
export function chooseChecks(
  request: Pick<ExploreRequest, 'check' | 'noCheck'>,
  scenario: Scenario<Record<string, unknown>> | null,
): readonly Check[] {
  const known = allChecks.map(({ name }) => name)
  for (const name of [...request.check, ...request.noCheck, ...(scenario?.checks ?? [])]) {
    if (!known.includes(name))
      throw new UsageError(
        `unknown check "${name}"; known: ${known.join(', ')}${(VIOLATION_KINDS as readonly string[]).includes(name) ? `; a ${name} is found by the check stuck` : suggestion(name, known)}`,
      )
  }
  const wanted = request.check.length > 0 ? request.check : (scenario?.checks ?? known)
  // an exception is the model's own failure: it is reported unless it is switched off by name
  return allChecks.filter(
    ({ name }) => (wanted.includes(name) || name === 'exception') && !request.noCheck.includes(name),
  )
}
