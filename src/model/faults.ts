// The faults that steps end in, as explored and live CPUs word them.
import type { Judgement, Property } from './machine.ts'
import type { Fault } from './memory.ts'

/** An instance is used after it was freed. */
export function usedAfterFree(instance: string, field: string): Fault {
  return { kind: 'use-after-free', property: instance, message: `${instance} is used after it was freed (${field})` }
}

/** An invariant does not hold when its lock is released. */
export function brokenAtRelease({ name, lock }: Property, holds: Judgement): Fault {
  return { kind: 'invariant', property: name, message: `"${name}" does not hold when ${lock?.name} is released${holds === false || holds === true ? '' : `: ${holds}`}` }
}

/**
 * Code of the model throws.
 *
 * @param where such as ` in acquire lock`; may be empty
 * @param at place in the model, if it is known
 */
export function exceptionFault(error: unknown, where: string, at: { readonly file: string; readonly line: number } | null): Fault {
  const { name, message } = error instanceof Error ? error : { name: 'thrown', message: String(error) }
  return { kind: 'exception', property: 'no exception', message: `${name}: ${message}${where}${at ? ` (${at.file}:${at.line})` : ''}` }
}

/** The inside of a synchronising object is touched by plain code. */
export function insideTouched(field: string): TypeError {
  return new TypeError(`${field} is the inside of a synchronising object: use its operations`)
}

/** Whether a property holds, or what is wrong; anything but true, false or a text is refused. */
export function evaluate(property: Property): Judgement {
  const holds = property.holds() as unknown
  if (typeof holds !== 'boolean' && typeof holds !== 'string') throw new TypeError(`property "${property.name}" gives ${typeof holds}: it must give true, or false or what is wrong`)
  return holds
}
