import { checks } from '../../checks/index.ts'
import type { LoadedModel } from '../runtime/load.ts'
import { Search } from '../explore/search/search.ts'
import type { StopReason } from '../model/verdict.ts'
import { type StateGraph, stateGraph } from '../explore/witness/graph.ts'
import type { UnusedSet } from '../explore/symmetry/sets.ts'
import { type ExploreRequest, prepare, reductionsOf } from './request.ts'
import type { Environment } from './environment.ts'
import { withoutUnlike } from '../explore/symmetry/retry.ts'

/** What a graph is made of. */
export interface GraphRequest extends Pick<ExploreRequest, 'scenario' | 'settings' | 'granularity'> {
  readonly reduce: 'none' | 'symmetry'
  readonly maxStates: number
  readonly memory: number
}

/** A graph and what it is of. */
export interface GatheredGraph {
  readonly graph: StateGraph
  /** Why it is not whole; null: it is. */
  readonly stopped: StopReason | null
  readonly name: string
}

/**
 * The states of one scenario and the steps between them, whatever is wrong with them.
 * @throws UsageError for unknown scenarios or parameters; Refusal for a model that cannot be explored
 */
export function searchGraph(
  loaded: LoadedModel,
  request: GraphRequest,
  environment: Environment,
): Promise<GatheredGraph> {
  return withoutUnlike((unlike) => gather(unlike, loaded, request, environment))
}

async function gather(
  unlike: readonly UnusedSet[],
  loaded: LoadedModel,
  request: GraphRequest,
  environment: Environment,
): Promise<GatheredGraph> {
  const { name, params, granularity, system } = prepare(loaded, request)
  const search = new Search(system, {
    params,
    granularity,
    checks: checks.filter(({ fault }) => fault), // a step that fails leads to a state of its own
    keepGoing: true,
    reductions: reductionsOf(
      request.reduce,
      unlike.map((set) => set.name),
    ),
    workers: 1, // with a bound, the states nearest to the initial one
    limits: { maxStates: request.maxStates, maxDepth: Infinity, time: Infinity, memory: request.memory },
    signal: environment.signal,
    progress: () => {},
  })
  try {
    const { stopped } = await environment.interruptible(() => search.run())
    return {
      graph: stateGraph(search.engine, request.maxStates),
      stopped: stopped?.reason ?? null,
      name: [loaded.model.title, name].filter(Boolean).join(', '),
    }
  } finally {
    await search.close()
  }
}
