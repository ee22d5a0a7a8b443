import type { SyncObject } from './operation.ts'

/** When a property is evaluated. */
export type PropertyForm = 'always' | 'when-free' | 'at-rest' | 'sometimes' | 'within'

/** The result of a property: whether it holds or, if it does not, the reason in one clause. */
export type PropertyResult = boolean | string

/** A property of the machine. */
export interface Property {
  /** Its name, in traces and messages. */
  readonly name: string
  /** When it is evaluated. */
  readonly form: PropertyForm
  /** Evaluates it. */
  readonly holds: () => PropertyResult
  /** For `when-free`: the lock whose release it is evaluated at. */
  readonly lock: SyncObject | null
}
