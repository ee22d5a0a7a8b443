import type { StopReason } from '../../model/verdict.ts'
import type { Check } from '../../model/check.ts'
import type { Granularity } from '../../semantics/step-bounds.ts'
import type { Range } from '../store/store-buffers.ts'
import type { Tuning } from '../store/tuning.ts'
import type { LocatedFinding } from '../successors/findings.ts'
import type { Checkpoints } from './checkpoint/checkpoints.ts'
import type { Reductions } from './engine.ts'
import type { Effort } from './search-worker.ts'

/** Bounds of a search; all of them end it as inconclusive, unless nothing was left to do. */
export interface Limits {
  readonly maxStates: number
  readonly maxDepth: number
  /** Seconds. */
  readonly time: number
  /** Bytes. */
  readonly memory: number
}

/** What a search is asked to do. */
export interface SearchOptions {
  readonly params: Readonly<Record<string, unknown>>
  readonly granularity: Granularity
  /** The checks that are on. */
  readonly checks: readonly Check[]
  readonly keepGoing: boolean
  readonly reductions: Reductions
  readonly workers: number
  readonly limits: Limits
  readonly signal: AbortSignal
  readonly progress: (progress: Progress) => void
  /** Other sizes than the usual ones, on which no result depends. */
  readonly tuning?: Partial<Tuning>
  /** Where the search is saved from time to time, and continued from; not with partial-order reduction. */
  readonly checkpoints?: Checkpoints
  /** Told of a checkpoint that could not be written: the search continues, and tries again later. */
  readonly warn?: (message: string) => void
}

/** Progress of a search. */
export interface Progress {
  /** States stored so far. */
  readonly states: number
  /** Transitions followed so far. */
  readonly transitions: number
  /** Steps from the initial state to the states that are explored now. */
  readonly depth: number
  /** States still to be explored at this depth. */
  readonly frontier: number
  /** Bytes in use. */
  readonly bytes: number
  /** Seconds since the search began. */
  readonly seconds: number
}

/** What a search found. */
export interface SearchResult {
  readonly findings: readonly LocatedFinding[]
  readonly exhaustive: boolean
  readonly stopped: { readonly reason: StopReason; readonly frontier: number } | null
  readonly states: number
  readonly transitions: number
  readonly depth: number
  readonly endStates: number
  /** Steps that ended in faults of checks that are off. */
  readonly pruned: number
  /** States beyond what the model says is to be explored. */
  readonly beyond: number
  /** States out of which partial-order reduction took the steps of one actor only. */
  readonly alone: number
  readonly seconds: number
  readonly bytes: number
  readonly bytesPerState: number
  /** What the threads' time went to. */
  readonly effort: Effort
  /** CPU seconds of the process: until all states were stored and checked, and in all. */
  readonly cpu: { readonly search: number; readonly all: number }
  /** States by level. */
  readonly levels: readonly (readonly Range[])[]
  /** Whether some step closed a loop. */
  readonly looped: boolean
  /** Whether a code site was reached, by site number. */
  readonly coverage: Uint8Array
}
