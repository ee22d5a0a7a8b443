import type { Count, Ordinal } from '../source/quantities.ts'
import type { SourcePlace } from '../source/refusal.ts'
import type { ViolationKind } from '../model/verdict.ts'
import type { ScheduledStep } from './schedule.ts'
import type { RacingAccess, TraceStep, Waiting } from './trace.ts'

/** One violation, with everything needed to understand and to replay it. */
export interface Violation {
  readonly kind: ViolationKind
  readonly property: string
  /** One sentence in kernel terms. */
  readonly message: string
  /** No shorter trace exists. */
  readonly minimal: boolean
  /** Actors that can never move again. */
  readonly stuck: readonly Count[]
  readonly schedule: readonly ScheduledStep[]
  readonly schedule_string: string
  readonly steps: readonly TraceStep[]
  readonly waiting: readonly Waiting[]
  /** Of a data race: the two accesses. */
  readonly accesses?: readonly RacingAccess[]
  /** Where it was asked for: the trace's preemptions, and which of them the violation needs. */
  readonly preemptions?: readonly Preemption[]
}

/** A place in a trace at which an actor that could continue does not. */
export interface Preemption {
  /** Number of the step that another actor takes instead, from 1. */
  readonly step: Ordinal
  /** Who is preempted. */
  readonly actor: Count
  /** The model's function that it is in; null before it starts. */
  readonly within: string | null
  readonly at: SourcePlace | null
  /**
   * `essential`: with no one preempted there, the violation is impossible; `incidental`: it is possible all the same;
   * `undecided`: the search for that came to no end, or cannot see it.
   */
  readonly verdict: 'essential' | 'incidental' | 'undecided'
  /** What "there" is: this very place of the code, or anywhere within the function. */
  readonly scope: 'place' | 'function'
  /** States of the search without it. */
  readonly states: Count
}
