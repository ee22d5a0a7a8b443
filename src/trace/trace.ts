import type { SourcePlace } from '../compile/refusal.ts'

/** One thing that a step did. */
export interface TraceEvent {
  /** `acquire`, `release`, `write`, `read`, `allocate`, `free`, `when`, ... */
  readonly operation: string
  /** Name of the object; empty for a bare condition. */
  readonly target: string
  readonly detail: string
  /** The kernel functions on the stack, outermost first. */
  readonly function: readonly string[]
  readonly at: SourcePlace | null
}

/** A field that a step changed. */
export interface Change {
  readonly field: string
  readonly from: unknown
  readonly to: unknown
}

/** Why a step's actor runs: it starts, goes on, or why the one before it does not. */
export type Why = 'start' | 'continue' | 'preempted' | 'blocked' | 'woken' | 'finished'

/** One step of a trace. */
export interface TraceStep {
  readonly actor: number
  readonly why: Why
  /** The same in words, with who and what: `CPU 0 is blocked on lock (acquire); woken by CPU 1`; empty for `continue`. */
  readonly because: string
  readonly events: readonly TraceEvent[]
  readonly changes: readonly Change[]
}

/** An actor that cannot go on at the end of a trace. */
export interface Waiting {
  readonly actor: number
  readonly operation: string
  readonly target: string
  readonly heldBy: readonly number[]
  readonly at: SourcePlace | null
}

/** An access that takes part in a race, at the end of a trace. */
export interface RacingAccess {
  readonly actor: number
  readonly access: 'read' | 'write'
  readonly field: string
  readonly function: readonly string[]
  readonly at: SourcePlace | null
}
