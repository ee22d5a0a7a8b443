import { checks } from '../../checks/index.ts'
import { type Reduce, reductionsOf } from '../../src/session/request.ts'
import type { LoadedModel } from '../../src/runtime/load.ts'
import { Search } from '../../src/explore/search/search.ts'
import type { SearchResult } from '../../src/explore/search/search-result.ts'
import { buildSystem } from '../../src/explore/state/system.ts'
import type { Tuning } from '../../src/explore/store/tuning.ts'
import type { Granularity } from '../../src/semantics/step-bounds.ts'

/** How a generated program is searched. */
export interface Way {
  readonly granularity: Granularity
  readonly reduce: Reduce
  readonly workers: number
  readonly tuning?: Partial<Tuning>
}

/** Searches a generated program to the end, as users do, whatever is found; what is made of the search is made before it is closed. */
export async function searched<T>(
  loaded: LoadedModel,
  { granularity, reduce, workers, tuning }: Way,
  use: (result: SearchResult, search: Search) => T,
): Promise<T> {
  const search = new Search(buildSystem(loaded, {}), {
    params: {},
    granularity,
    checks,
    keepGoing: true,
    reductions: reductionsOf(reduce, []),
    workers,
    limits: { maxStates: Infinity, maxDepth: Infinity, time: Infinity, memory: 4e9 },
    signal: new AbortController().signal,
    progress: () => {},
    tuning: {
      localCapacity: { states: 1 << 14, words: 1 << 20 },
      segmentBits: 14,
      ...tuning,
      ...(workers > 1 && { narrow: 4, worthThreads: 0 }),
    },
  })
  try {
    return use(await search.run(), search)
  } finally {
    await search.close()
  }
}
