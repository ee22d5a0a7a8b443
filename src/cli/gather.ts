import { type LoadedModel, load } from '../compile/load.ts'
import { Search, type StopReason } from '../explore/search.ts'
import { type StateGraph, stateGraph } from '../explore/state-graph.ts'
import { buildSystem } from '../explore/system.ts'
import { type ExploreRequest, chooseScenario, parametersOf } from './request.ts'
import type { Streams } from './streams.ts'

/** What a graph is made of. */
export interface GraphRequest extends Pick<ExploreRequest, 'scenario' | 'settings' | 'granularity'> {
  readonly reduce: 'none' | 'symmetry'
  readonly maxStates: number
  readonly memory: number
}

/**
 * The states of one scenario and the steps between them, whatever is wrong with them.
 * @throws UsageError for unknown scenarios or parameters; Refusal for a model that cannot be explored
 */
export async function searchGraph(loaded: LoadedModel, request: GraphRequest, streams: Streams): Promise<{ readonly graph: StateGraph; readonly stopped: StopReason | null; readonly name: string }> {
  const { name, scenario } = chooseScenario(loaded, request.scenario)
  const params = parametersOf(loaded, scenario, request.settings)
  const search = new Search(buildSystem(load(loaded.bundle), params), {
    params,
    granularity: request.granularity ?? scenario?.granularity ?? 'step',
    checks: [],
    keepGoing: true,
    symmetry: request.reduce === 'symmetry' ? { without: [] } : null,
    partialOrder: false,
    workers: 1, // with a bound, the states nearest to the initial one
    limits: { maxStates: request.maxStates, maxDepth: Infinity, time: Infinity, memory: request.memory },
    signal: streams.interrupt,
    progress: () => {},
  })
  try {
    const { stopped } = await search.run()
    return { graph: stateGraph(search.engine, request.maxStates), stopped: stopped?.reason ?? null, name: [loaded.model.title, name].filter(Boolean).join(', ') }
  } finally {
    await search.close()
  }
}
