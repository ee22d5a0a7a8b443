import type { Activation } from '../../runtime/runtime.ts'
import type { Operation } from '../../model/operation.ts'
import { exceptionFault } from '../../semantics/faults.ts'
import { Refusal, type SourcePlace } from '../../source/refusal.ts'
import { isErrorOf } from '../../source/thrown.ts'
import type { System } from '../state/system.ts'
import type { StepMemory } from './step-memory.ts'
import { refuseChange } from './step-refusals.ts'
import { isSignal } from './step-signal.ts'

/** What becomes of an exception that code of the model throws in a step. */
export class Exceptions {
  readonly #memory: StepMemory
  readonly #system: System

  constructor(memory: StepMemory, system: System) {
    this.#memory = memory
    this.#system = system
  }

  /**
   * Passes an exception up the call stack of the program; at the bottom it is a violation.
   * @throws StepSignal for a violation; Refusal for a recursion without bound, or a change of what no state holds
   */
  raise(error: unknown): void {
    if (isSignal(error)) throw error
    const { stack } = this.#memory
    if (isErrorOf(RangeError, /call stack/i, error)) throw new Refusal('a recursion without bound', this.placeOf(error))
    refuseChange(error, () => this.placeOf(error))
    this.#memory.leaveOperation()
    // an activation that an exception has left must not see it again
    while (stack.at(-1)?.finished) stack.pop()
    for (; stack.length > 0; stack.pop()) {
      try {
        ;(stack.at(-1) as Activation).raise(error)
        return
      } catch (again) {
        if (again !== error) throw again
      }
    }
    this.#violation(error, '')
  }

  /** Runs a guard or effect. What it throws is no exception that the program could catch: it ends the step. */
  inside<T>(operation: Operation<unknown>, body: () => T): T {
    try {
      return body()
    } catch (error) {
      if (isSignal(error)) throw error
      refuseChange(error, () => this.placeOf(error))
      this.#memory.leaveOperation()
      return this.#violation(error, ` in ${operation.title}`)
    }
  }

  /** Where an error came from; else where the step's code is. */
  placeOf(error: unknown): SourcePlace | null {
    return this.#system.loaded.sourceMap.placeOf(error) ?? this.#memory.place
  }

  #violation(error: unknown, where: string): never {
    const at = this.#system.loaded.sourceMap.placeOf(error)
    if (at) this.#memory.faultPlace = at
    return this.#memory.fault(exceptionFault(error, where, at))
  }
}
