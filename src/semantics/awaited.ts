// Whom a blocked attempt waits for, as its operation says: code of a model's, which may say anything.
import { Actor } from '../model/actor.ts'
import type { Operation } from '../model/operation.ts'
import { wording } from '../source/thrown.ts'

/**
 * Who holds what a blocked attempt waits for: each of them has to act before it can continue; null: the operation does not say.
 *
 * @throws TypeError where it names anything but actors; and what its own code throws
 */
export function holdersOf({ primitive, target, args }: Operation<unknown>, actor: Actor): readonly Actor[] | null {
  return primitive.holders ? actorsOnly(primitive.holders(target, actor, args), 'holders') : null
}

/**
 * Who holds what a blocked attempt waits for, or else who is known to wake it.
 *
 * @throws TypeError as {@link holdersOf}
 */
export function awaitedBy(operation: Operation<unknown>, actor: Actor): readonly Actor[] {
  const { primitive, target, args } = operation
  return (
    holdersOf(operation, actor) ?? (primitive.wakers ? actorsOnly(primitive.wakers(target, actor, args), 'wakers') : [])
  )
}

/** What there is to say of an operation whose word on that cannot be had. */
export function untold({ title }: Operation<unknown>, error: unknown): string {
  return `who is waited for in ${title} cannot be told: ${wording(error)}`
}

function actorsOnly(named: unknown, what: string): readonly Actor[] {
  if (Array.isArray(named) && named.every((one) => one instanceof Actor)) return named
  throw new TypeError(`${what} must give a list of actors`)
}
