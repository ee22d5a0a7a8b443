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
  readonly stuck: readonly number[]
  readonly schedule: readonly ScheduledStep[]
  readonly schedule_string: string
  readonly steps: readonly TraceStep[]
  readonly waiting: readonly Waiting[]
  /** Of a data race: the two accesses. */
  readonly accesses?: readonly RacingAccess[]
}
