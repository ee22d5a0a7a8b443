import type { Activation } from '../../runtime/runtime.ts'
import type { Field } from '../../model/field.ts'
import type { Operation } from '../../model/operation.ts'

/** Told of what a step does while it is executed, for traces. */
export interface StepObserver {
  operation?(operation: Operation<unknown>, stack: readonly Activation[], site: number, blocked: boolean): void
  /** `once`: read by readOnce. */
  access?(field: Field, isWrite: boolean, stack: readonly Activation[], once: boolean): void
  /** What the write just told of stores. */
  stored?(field: Field, raw: number): void
  /** An alternative was taken. */
  choice?(what: string, taken: string, stack: readonly Activation[]): void
}
