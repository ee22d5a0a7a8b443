import { type Instance, type Machine, actors, bool, event, setOf, struct, u } from 'vmcheck'
import { checkNumber, checkOptions } from './options.ts'

interface BudgetState {
  /** Failures still to be injected. */
  left: number
  hasStruck: boolean
  /** Allocations asked for so far, if one of them is chosen by its number. */
  asked: number
  /** Threads that are undoing what they did: one bit an actor. */
  rollingBack: number
}

/** The last allocation that may be named by its number: one more is told apart from it. */
const MAX_ASKED = 62

const BudgetStruct = struct<BudgetState>('budget', {
  left: event(u(3)),
  hasStruck: event(bool),
  asked: event(u(6)),
  rollingBack: event(setOf(actors)),
})

/** Which allocations fail. */
export interface FailureBudgetOptions {
  /** Number of allocations that may fail, 0 to 7; the search tries each choice. */
  readonly failures: number
  /** Only this one fails, counted from 1 to 62 in the order in which they are asked for. */
  readonly only?: number | null
  /** Whether it is a violation to allocate anything between {@link FailureBudget.beginRollback} and its end. Default true. */
  readonly guardsRollback?: boolean
}

/**
 * How many allocations may fail: each one that is asked for fails, as the search chooses, until so many have. Its
 * methods belong in atomic sections.
 *
 * @example
 * const frames = new FrameStore(m, { frames: 2, name: 'frame' })
 * const budget = new FailureBudget(m, { failures: 1 })
 * m.thread(function* allocates() {
 *   const frame = yield* atomically(() => (budget.strikes('a frame') ? null : frames.allocate(0)))
 *   if (frame) yield* atomically(() => frames.release(frame))
 * })
 */
export class FailureBudget {
  readonly #m: Machine
  readonly #state: Instance<BudgetState>
  readonly #only: number | null
  readonly #guardsRollback: boolean

  constructor(m: Machine, options: FailureBudgetOptions) {
    checkOptions('a failure budget', options, ['failures', 'only', 'guardsRollback'])
    const { failures, only = null, guardsRollback = true } = options
    checkNumber('failures of a failure budget', failures, 0, 7)
    if (only !== null) checkNumber('only of a failure budget, which counts from 1,', only, 1, MAX_ASKED)
    if (only !== null && failures === 0)
      throw new RangeError(`a failure budget with only: ${only} and failures: 0 lets nothing fail`)
    this.#m = m
    this.#state = m.struct(BudgetStruct, 'failure budget', { left: failures })
    this.#only = only
    this.#guardsRollback = guardsRollback
  }

  /** Whether the allocation of `what` fails. */
  strikes(what: string): boolean {
    const { rollingBack } = this.#state
    if (this.#guardsRollback && ((rollingBack >> this.#m.self.id) & 1) === 1) {
      this.#m.assert(
        () => `${this.#m.self.name} allocates ${what} while it undoes what it did`,
        'rollback never allocates',
      )
    }
    if (this.#state.left === 0 || !this.#isChosen(what)) return false
    this.#state.left -= 1
    this.#state.hasStruck = true
    return true
  }

  /** The caller begins to undo what it did. */
  beginRollback(): void {
    this.#state.rollingBack |= 1 << this.#m.self.id
  }

  /** The caller has undone it. */
  endRollback(): void {
    this.#state.rollingBack &= ~(1 << this.#m.self.id)
  }

  /** Whether some allocation has failed: for `sometimes`. */
  get hasStruck(): boolean {
    return this.#state.hasStruck
  }

  #isChosen(what: string): boolean {
    if (this.#only === null) return this.#m.choose(2, `allocating ${what}`, ['succeeds', 'fails']) === 1
    if (this.#state.asked > this.#only) return false
    this.#state.asked += 1
    return this.#state.asked === this.#only
  }
}
