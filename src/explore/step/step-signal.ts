import { Refusal } from '../../source/refusal.ts'
import { isKind } from '../../source/thrown.ts'
import type { Fault } from '../../model/memory.ts'

/** Unwinds the model's code when a step ends in the middle of a function: with a fault, or cut before an access. */
export class StepSignal extends Error {
  readonly fault: Fault | null
  constructor(fault: Fault | null) {
    super(fault ? fault.message : 'cut')
    this.fault = fault
  }
}

/** Whether an exception is the executor's own, which the model's code must not see. */
export function isSignal(error: unknown): boolean {
  return isKind(error, StepSignal) || isKind(error, Refusal)
}
