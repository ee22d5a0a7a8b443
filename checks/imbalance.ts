import { type Check, leftOver } from '../src/index.ts'
import { faultCheck } from './fault.ts'

/** A thread, or an interrupt handler, ends with a lock held, interrupts or preemption off. A deliberate hand-over is declared: `m.thread(program, { hands: [lock] })`. */
export const imbalance: Check = {
  ...faultCheck('imbalance', 'who ends has given its locks back, and interrupts and preemption are on again'),
  occasions: ['leftover'],
  state: (state) =>
    state.actors.flatMap((actor) => {
      const leftover = state.leftover(actor)
      return leftover ? [leftOver(actor, leftover)] : []
    }),
}
