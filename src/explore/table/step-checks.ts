import type { Actor } from '../../model/actor.ts'
import type { LocalStates } from '../state/local-states.ts'
import type { Executor } from '../step/executor.ts'
import { type StepRecord, sameCourse } from '../step/step-record.ts'
import type { CheckedStep, SymmetryGuard } from '../symmetry/guard.ts'

/** Of each label the first records are run twice, and later ones one time in {@link RECHECK}. */
const CHECKED_FIRST = 8
const RECHECK = 16

/** A step without interchangeable members. */
const UNCHECKED: CheckedStep = { further: [], counterparts: [] }

/** What steps are checked with. */
export interface StepChecksParts {
  readonly executor: Executor
  readonly locals: LocalStates
  readonly actors: readonly Actor[]
  /** Checks that steps treat interchangeable members alike; null without any. */
  readonly guard: SymmetryGuard | null
}

/** Checks what steps did before they are recorded. */
export class StepChecks {
  readonly #parts: StepChecksParts

  constructor(parts: StepChecksParts) {
    this.#parts = parts
  }

  /**
   * Whether a step takes the same course when it is taken again, as far as that is looked at.
   *
   * @param count records of its label so far, this one included
   * @throws Refusal where it does not
   */
  again(count: number, record: StepRecord, take: () => StepRecord): void {
    const isChecked = count <= CHECKED_FIRST || count % RECHECK === 0
    if (isChecked && !sameCourse(record, take())) throw this.#parts.executor.unstable()
  }

  /**
   * Whether a step treats interchangeable members alike, and what else that depends on.
   * @throws AsymmetryError where it does not
   */
  renamed(actor: number, state: Int32Array, isPlaced: boolean, record: StepRecord): CheckedStep {
    const { guard, locals, actors } = this.#parts
    if (!guard) return UNCHECKED
    return guard.checkStep(actors[actor] as Actor, locals.code(state, actor), state, isPlaced, record)
  }
}
