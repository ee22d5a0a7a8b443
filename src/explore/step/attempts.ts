import type { Activation } from '../../runtime/runtime.ts'
import type { Actor } from '../../model/actor.ts'
import type { Operation } from '../../model/operation.ts'
import type { Property } from '../../model/property.ts'
import { holdersOf, untold } from '../../semantics/awaited.ts'
import { brokenAtRelease, evaluate } from '../../semantics/faults.ts'
import { Refusal } from '../../source/refusal.ts'
import type { System } from '../state/system.ts'
import type { Exceptions } from './exceptions.ts'
import type { StepMemory } from './step-memory.ts'
import { noTruthValue } from './step-refusals.ts'
import { isSignal } from './step-signal.ts'

/** Tries the operations of a step: guard, effect, and the properties that a release makes due. */
export class Attempts {
  readonly #memory: StepMemory
  readonly #system: System
  readonly #exceptions: Exceptions
  /** Is told of every evaluation of a property inside a step. */
  evaluated: (property: Property, holds: boolean) => void = () => {}
  /** Actors that alone could end the wait of an operation that is blocked (mask of actor ids). */
  holders = 0
  /** Whether the operation tried last gives up a shared CPU while it is blocked. */
  yields = false
  #grants = false

  constructor(memory: StepMemory, system: System, exceptions: Exceptions) {
    this.#memory = memory
    this.#system = system
    this.#exceptions = exceptions
  }

  /** Runs something with every wait granted. */
  granting<T>(body: () => T): T {
    this.#grants = true
    try {
      return body()
    } finally {
      this.#grants = false
    }
  }

  /** Evaluates the operand of a closure operation again, from its mark. */
  evaluate(stack: readonly Activation[]): Operation<unknown> {
    const top = stack.at(-1) as Activation
    this.#memory.stack = [...stack]
    this.#memory.evaluating = true
    top.run(isSignal)
    this.#memory.evaluating = false
    top.site = this.#system.runtime.site
    return top.delegate as Operation<unknown>
  }

  /** Tries an operation; on success its result is the value of the stack's `yield*`. */
  attempt(operation: Operation<unknown>, granting: () => void): boolean {
    const { primitive, target, args } = operation
    const actor = this.#memory.actor as Actor
    const top = this.#memory.stack.at(-1) as Activation
    this.#memory.enterOperation(operation)
    const enabled =
      this.#grants ||
      this.#exceptions.inside(operation, () =>
        this.#memory.guard(() => primitive.enabled?.(target, actor, args) ?? true),
      )
    if (typeof enabled !== 'boolean') throw noTruthValue(enabled, this.#system.runtime.place(top.site))
    if (!enabled) this.#noteHolders(operation, actor)
    this.#memory.observer.operation?.(operation, this.#memory.stack, top.site, !enabled)
    if (enabled) {
      granting()
      top.v = this.#exceptions.inside(operation, () => primitive.perform(target, actor, args))
    }
    this.#memory.leaveOperation()
    this.yields = primitive.yields ?? false
    if (!enabled) return false
    this.#memory.performed(operation)
    if (this.#memory.implied(() => primitive.frees?.(target, actor) ?? primitive.class === 'release', true))
      this.#checkWhenFree(target)
    return true
  }

  /** Which actors keep an operation from continuing, as the operation says itself. */
  #noteHolders(operation: Operation<unknown>, actor: Actor): void {
    try {
      this.#memory.guard(() => {
        for (const holder of holdersOf(operation, actor) ?? []) this.holders |= 1 << holder.id
        return true
      })
    } catch (error) {
      if (isSignal(error)) throw error
      throw new Refusal(untold(operation, error), this.#exceptions.placeOf(error))
    }
  }

  #checkWhenFree(target: object): void {
    for (const property of this.#system.machine.properties) {
      if (property.form !== 'when-free' || property.lock !== target) continue
      const holds = this.#memory.implied(() => evaluate(property))
      this.evaluated(property, holds === true)
      if (holds !== true) this.#memory.violated(brokenAtRelease(property, holds))
    }
  }
}
