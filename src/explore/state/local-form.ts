import type { Activation } from '../../runtime/runtime.ts'
import type { Operation } from '../../model/operation.ts'

/** Tags of the encoding of values; each value starts with one, so that no two values share an encoding. */
export const TAG = {
  undefined: 0,
  null: 1,
  true: 2,
  false: 3,
  integer: 4,
  double: 5,
  string: 6,
  object: 7,
  function: 8,
  array: 9,
  plain: 10,
  again: 11,
  bigint: 12,
  frozen: 13,
  error: 15,
  walk: 14,
} as const

/** Where an actor stands. */
export type LocalState =
  /** Before its first shared access; `log` feeds what it did since (virtual point). */
  | { readonly at: 'start'; readonly log: readonly number[] }
  /** Before an operation. */
  | { readonly at: 'operation'; readonly stack: Activation[]; readonly operation: Operation<unknown> }
  /** Before the operand of a closure operation, which is evaluated again at every attempt. */
  | { readonly at: 'operand'; readonly stack: Activation[] }
  /** After the operation of its last `yield*`, which gave `result`; `log` feeds what it did since (virtual point). */
  | { readonly at: 'resume'; readonly stack: Activation[]; readonly result: unknown; readonly log: readonly number[] }
  | { readonly at: 'finished' }

/** Where in a local state's encoding things are mentioned that can be renamed: positions of their numbers. */
export interface Mentions {
  readonly objects: readonly number[]
  readonly functions: readonly number[]
  /** Positions of values in a log, each followed by what it names. */
  readonly logged: readonly number[]
}

/** What an iterator that is under way gives, by its number in the encoding. */
export const VIEWS = ['values', 'keys', 'entries'] as const

/** What an encoding begins with. */
export const KIND = { finished: 0, start: 1, operation: 2, operand: 3, resume: 4 } as const

/** The encoding of a finished actor. */
export const FINISHED: readonly number[] = [KIND.finished]
