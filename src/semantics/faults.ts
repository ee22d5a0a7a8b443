// The faults that steps end in, as explored and live CPUs word them.
import type { Actor } from '../model/actor.ts'
import type { Leftover, Sleeping } from '../model/check.ts'
import type { PropertyResult, Property } from '../model/property.ts'
import type { Fault } from '../model/memory.ts'
import type { Switches } from './switches.ts'
import { list } from '../source/texts.ts'
import { wording } from '../source/thrown.ts'

/** An instance is used while it is not allocated. */
export function usedAfterFree(instance: string, field: string): Fault {
  return {
    kind: 'use-after-free',
    property: instance,
    message: `${instance} is used after it was freed, or before it was allocated (${field})`,
  }
}

/** An invariant does not hold when its lock is released. */
export function brokenAtRelease({ name, lock }: Property, holds: PropertyResult): Fault {
  return {
    kind: 'invariant',
    property: name,
    message: `"${name}" does not hold when ${lock?.name} is released${holds === false || holds === true ? '' : `: ${holds}`}`,
  }
}

/**
 * Code of the model throws.
 *
 * @param where such as ` in acquire lock`; may be empty
 * @param at place in the model, if it is known
 */
export function exceptionFault(
  error: unknown,
  where: string,
  at: { readonly file: string; readonly line: number } | null,
): Fault {
  return {
    kind: 'exception',
    property: 'no exception',
    message: `${wording(error)}${where}${at ? ` (${at.file}:${at.line})` : ''}`,
  }
}

/** An actor ends and has not given something back. */
export function leftOver(actor: Actor, { locks, interruptsOff, preemptionOff }: Leftover): Fault {
  const what = list([
    ...locks.map((lock) => `${lock} held`),
    ...(interruptsOff ? ['interrupts off'] : []),
    ...(preemptionOff ? ['preemption off'] : []),
  ])
  return { kind: 'imbalance', property: 'what was taken is given back', message: `${actor.label} ends with ${what}` }
}

/** An actor ends, and what it alone knows to be off is not on again; null: all is. */
export function leftOff(actor: Actor, { interrupts, preemption }: Switches): Fault | null {
  return interrupts + preemption === 0
    ? null
    : leftOver(actor, { locks: [], interruptsOff: interrupts > 0, preemptionOff: preemption > 0 })
}

/** An actor does what may sleep where it must not. */
export function sleepsInAtomic(actor: Actor, { operation, target, context }: Sleeping): Fault {
  const { isHandler, spinLocks, interruptsOff, preemptionOff } = context
  const why = list([
    ...(isHandler ? ['it is an interrupt handler'] : []),
    ...(spinLocks.length > 0 ? [`it holds the spin lock${spinLocks.length > 1 ? 's' : ''} ${list(spinLocks)}`] : []),
    ...(interruptsOff ? ['interrupts are off'] : []),
    ...(preemptionOff ? ['preemption is off'] : []),
  ])
  return {
    kind: 'sleep-in-atomic',
    property: 'no sleep in atomic context',
    message: `${actor.label} may sleep in ${target === '' ? operation : `${target} (${operation})`}, although ${why}`,
  }
}

/** The inside of a synchronising object is touched by plain code. */
export function insideTouched(field: string): TypeError {
  return new TypeError(`${field} is the inside of a synchronising object: use its operations`)
}

/** Whether a property holds, or what is wrong; anything but true, false or a text is refused. */
export function evaluate(property: Property): PropertyResult {
  const holds = property.holds() as unknown
  if (typeof holds !== 'boolean' && typeof holds !== 'string')
    throw new TypeError(
      `property "${property.name}" gives ${typeof holds}: it must give true, or false or what is wrong`,
    )
  return holds
}
