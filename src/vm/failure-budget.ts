import { type Instance, type Machine, bool, event, struct, u } from 'vmcheck'

interface BudgetState {
  /** Failures still to be injected. */
  left: number
  injected: boolean
  /** Threads that are undoing what they did: one bit an actor. */
  rollingBack: number
}

const BudgetStruct = struct<BudgetState>('budget', { left: event(u(3)), injected: event(bool), rollingBack: event(u(30)) })

/**
 * How many allocations may fail: each one that is asked for fails, as the search chooses, until so many have. All
 * its methods belong in atomic sections.
 */
export class FailureBudget {
  readonly #m: Machine
  readonly #state: Instance<BudgetState>

  /** @param failures 0 to 7 */
  constructor(m: Machine, failures: number) {
    this.#m = m
    this.#state = m.struct(BudgetStruct, 'failure budget', { left: failures })
  }

  /** Whether the allocation of `what` fails. In a rollback it is a violation that anything is allocated at all. */
  strikes(what: string): boolean {
    const { left, rollingBack } = this.#state
    if (((rollingBack >> this.#m.self.id) & 1) === 1) {
      this.#m.assert(() => `${this.#m.self.name} allocates ${what} while it undoes what it did`, 'rollback never allocates')
    }
    if (left === 0 || this.#m.choose(2, `allocating ${what}`, ['succeeds', 'fails']) === 0) return false
    this.#state.left = left - 1
    this.#state.injected = true
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
    return this.#state.injected
  }
}
