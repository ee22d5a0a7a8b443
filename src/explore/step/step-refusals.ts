// What steps are refused for, in words; the executor and its memory say where.
import type { Actor } from '../../model/actor.ts'
import type { Field } from '../../model/field.ts'
import { Refusal, type SourcePlace } from '../../source/refusal.ts'
import { CHANGE_REFUSED, type Activation, type Runtime } from '../../runtime/runtime.ts'
import { article } from '../../source/texts.ts'
import { isErrorOf, wordsOf } from '../../source/thrown.ts'

/** Depth of calls beyond which a recursion is taken to be without bound. */
export const MAX_DEPTH = 200

/** Accesses between two points of the code beyond which a loop over volatile fields is refused. */
export const MAX_LOG = 1000

/** Why a look at the inside of a lock is refused. */
export function hiddenLock({ name }: Field): string {
  return `${name} is looked at, which says who holds a lock: others may take and release it within one step; make it with { tryable: true }, or an object of vmcheck/vm under the lock's own name`
}

/** Why plain code, or a guard of other objects, may not look at a lock that cannot be tried. */
export function notTryable({ name }: Field): string {
  return `${name} is looked at from outside its lock's operations, which only a tryable lock allows: make it with { tryable: true }`
}

/** A step that is not a function of what it read. */
export function nondeterministic(at: SourcePlace | null): Refusal {
  return new Refusal(
    'nondeterministic step: executing it again gave a different result; programs must not depend on the time, random numbers or other outside state',
    at,
  )
}

/** Something that an operand must not do. */
export function misplaced(what: string, at: SourcePlace | null): Refusal {
  return new Refusal(
    `${what} while the arguments of a guarded operation are evaluated, which happens at every attempt: move it into the guard or effect, or into a const before`,
    at,
  )
}

/** A loop over volatile fields without a point. */
export function endlessAccesses(at: SourcePlace | null): Refusal {
  return new Refusal(
    `${MAX_LOG} shared accesses in a plain function: a loop over volatile fields? write it in a generator function, or wait by yield* when(...)`,
    at,
  )
}

/** A program that is an ordinary function. */
export function notAProgram(actor: Actor): Refusal {
  return new Refusal(`the program of ${actor.name} is not a generator function: write function* name() { ... }`, null)
}

/** A guard that gives no truth value. */
export function noTruthValue(given: unknown, at: SourcePlace | null): Refusal {
  return new Refusal(`a guard gives ${article(typeof given)}: it must give true or false`, at)
}

/** Calls without an end. */
export function unboundRecursion(at: SourcePlace | null): Refusal {
  return new Refusal(`calls are nested more than ${MAX_DEPTH} deep: a recursion without bound?`, at)
}

/**
 * Checks that everything that a step made was executed in it.
 *
 * @param site of the code where the step began; 0: not known
 * @throws Refusal for a call or an operation without yield*
 */
export function refuseUnexecuted(runtime: Runtime, site: number): void {
  const dropped = runtime.made.find((activation: Activation) => !activation.taken)
  if (dropped)
    throw new Refusal(
      `${dropped.info.name}(...) was called without yield*, so it did nothing: did you forget yield*?`,
      runtime.place(dropped.info.site),
    )
  const [asked] = runtime.asked
  if (asked)
    throw new Refusal(
      `${asked.title} is made, and not executed: did you forget yield*?`,
      runtime.place(site || (runtime.made.at(-1)?.info.site ?? 0)),
    )
}

/**
 * Refuses what freezing caught: a program that changes an object made before it.
 *
 * @param error what model code threw
 * @throws Refusal if that is what happened
 */
export function refuseChange(error: unknown, at: () => SourcePlace | null): void {
  if (!isErrorOf(TypeError, CHANGE_REFUSED, error)) return
  throw new Refusal(
    `a program changes an object made outside of it, which no stored state would hold (${wordsOf(error).message}): keep it in shared memory`,
    at(),
  )
}
