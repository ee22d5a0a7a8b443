import type { Check, Finding } from '../../model/check.ts'
import type { Granularity } from '../../semantics/step-bounds.ts'
import type { ScheduledStep } from '../../trace/schedule.ts'
import type { StopReason } from '../../model/verdict.ts'
import type { Limits, Progress } from '../search/search-result.ts'
import type { LocalCapacity } from '../state/local-states.ts'
import type { Strategy } from './strategy.ts'
import type { Stretch } from './uninterrupted.ts'

/** What a search along paths is asked to do. */
export interface PathSearchOptions {
  readonly params: Readonly<Record<string, unknown>>
  readonly granularity: Granularity
  readonly checks: readonly Check[]
  readonly keepGoing: boolean
  readonly strategy: Strategy
  /** Whether the strategy explores one order of independent steps only, and so needs programs that end. */
  readonly isStateless: boolean
  /** Most preemptions of an execution: switches away from an actor that could continue. */
  readonly preemptions: number
  /** Where in the code no actor is preempted at all. */
  readonly uninterrupted?: Stretch
  readonly limits: Limits
  /** Other room for local states than the usual, at most 2^20 an actor. */
  readonly localCapacity?: LocalCapacity
  readonly signal: AbortSignal
  readonly progress: (progress: Progress) => void
}

/** Something found, and the way to it. */
export interface PathFinding {
  readonly finding: Finding
  readonly schedule: readonly ScheduledStep[]
}

/** What a search along paths found. */
export interface PathResult {
  readonly findings: readonly PathFinding[]
  readonly exhaustive: boolean
  readonly stopped: { readonly reason: StopReason; readonly frontier: number } | null
  /** Different states met. */
  readonly states: number
  /** Steps taken, also again. */
  readonly transitions: number
  /** Executions that went on until nothing could be done, or something failed. */
  readonly executions: number
  /** Steps of the longest execution. */
  readonly depth: number
  readonly endStates: number
  /** Steps that ended in faults of checks that are off. */
  readonly pruned: number
  /** States beyond what the model says is to be explored. */
  readonly beyond: number
  /** Whether some step closed a loop: who can never move again is then not known. */
  readonly looped: boolean
  readonly seconds: number
  readonly bytes: number
  readonly bytesPerState: number
  readonly notes: readonly string[]
  readonly coverage: Uint8Array
}
