import type { Bundle } from '../../bundle/bundle.ts'
import type { Report } from '../../report/report.ts'
import type { ExploreRequest } from '../request.ts'

/** One scenario for a thread of the gate: all that it needs, and where it says how far it is. */
export interface GateTask {
  readonly bundle: Bundle
  readonly request: ExploreRequest
  readonly cwd: string
  /** Int32: whether it is to end, as {@link TASK_WORD} says; states found so far. */
  readonly control: SharedArrayBuffer
}

/** Words of a task's control. */
export const TASK_WORD = { abort: 0, states: 1, words: 2 } as const

/** What a thread answers. */
export type GateAnswer = { readonly report: Report } | { readonly problem: string }
