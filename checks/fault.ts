import type { Check, Fault } from '../src/index.ts'

/** A check for steps that end in a fault of one kind. */
export function faultCheck(kind: Fault['kind'], about: string): Check {
  return {
    name: kind,
    about,
    fault: (fault) =>
      fault.kind === kind ? { kind: fault.kind, property: fault.property, message: fault.message } : null,
  }
}
