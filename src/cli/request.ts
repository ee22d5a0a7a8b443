import { checks as allChecks } from '../../checks/index.ts'
import type { LoadedModel } from '../compile/load.ts'
import type { PathStrategyName } from '../explore/paths/strategies.ts'
import type { Limits } from '../explore/search.ts'
import type { Granularity } from '../explore/step-memory.ts'
import type { Tuning } from '../explore/tuning.ts'
import type { Check } from '../model/check.ts'
import type { Scenario } from '../model/model.ts'
import { ParameterError, resolveParameters } from '../model/parameters.ts'
import { UsageError } from './usage-error.ts'

/** Which reductions are asked for. */
export type Reduce = 'none' | 'symmetry' | 'por' | 'all'

/** What one exploration is asked to do, defaults filled in. */
export interface ExploreRequest {
  readonly scenario: string | null
  readonly settings: readonly string[]
  /** Granularity asked for; null: the scenario's. */
  readonly granularity: Granularity | null
  readonly check: readonly string[]
  readonly noCheck: readonly string[]
  readonly keepGoing: boolean
  readonly strategy: 'bfs' | PathStrategyName
  readonly reduce: Reduce
  /** Of the strategies that follow executions: see there. */
  readonly seed: number
  readonly runs: number
  readonly bugDepth: number
  readonly preemptions: number
  readonly workers: number
  readonly limits: Limits
  readonly quiet: boolean
  /** Whether the report says where the time went. */
  readonly profile: boolean
  /** Other sizes than the usual ones, on which no result depends. */
  readonly tuning?: Partial<Tuning>
}

/** Whether independent steps are taken in one order only. */
export function isPartialOrder({ reduce }: ExploreRequest): boolean {
  return reduce === 'por' || reduce === 'all'
}

/**
 * The scenario asked for, else the model's first; null for a model without.
 * @throws UsageError
 */
export function chooseScenario({ model, bundle: { file } }: LoadedModel, asked: string | null): { name: string | null; scenario: Scenario<Record<string, unknown>> | null } {
  const known = [...model.scenarios.keys()]
  const name = asked ?? known[0] ?? null
  if (name === null) return { name, scenario: null }
  const scenario = model.scenarios.get(name)
  if (!scenario) throw new UsageError(`${file} has no scenario "${name}"; it has: ${known.join(', ') || 'none'}`)
  return { name, scenario }
}

/**
 * A scenario's parameters with settings on top.
 * @throws UsageError
 */
export function parametersOf({ model }: LoadedModel, scenario: Scenario<Record<string, unknown>> | null, settings: readonly string[]): Record<string, unknown> {
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
export function chooseChecks(request: ExploreRequest, scenario: Scenario<Record<string, unknown>> | null): readonly Check[] {
  const known = allChecks.map(({ name }) => name)
  for (const name of [...request.check, ...request.noCheck, ...(scenario?.checks ?? [])]) {
    if (!known.includes(name)) throw new UsageError(`unknown check "${name}"; known: ${known.join(', ')}`)
  }
  const wanted = request.check.length > 0 ? request.check : (scenario?.checks ?? known)
  // an exception is the model's own failure: it is reported unless it is switched off by name
  return allChecks.filter(({ name }) => (wanted.includes(name) || name === 'exception') && !request.noCheck.includes(name))
}
