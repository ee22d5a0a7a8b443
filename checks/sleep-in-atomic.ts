import { type Check, sleepsInAtomic } from '../src/index.ts'
import { faultCheck } from './fault.ts'

/** An operation that may sleep where its actor must not: with a spin lock held, interrupts or preemption off, or in a handler. */
export const sleepInAtomic: Check = {
  ...faultCheck(
    'sleep-in-atomic',
    'nothing that may sleep is done with a spin lock held, interrupts or preemption off, or in a handler',
  ),
  occasions: ['sleep'],
  state: (state) =>
    state.actors.flatMap((actor) => {
      const sleeping = state.sleepsNext(actor)
      return sleeping ? [sleepsInAtomic(actor, sleeping)] : []
    }),
}
