import type { Field } from './field.ts'

/**
 * Where an instance's fields are. Kept apart from the instance, whose properties are the author's, and from its type: a
 * program that came to its fields could tell interchangeable instances apart.
 */
export interface FieldLocation {
  /** The struct type that the instance is of. */
  readonly type: object
  readonly fields: readonly Field[]
  /** Liveness cell of a pooled instance. */
  readonly alive: Field | null
}

const LOCATIONS = new WeakMap<object, FieldLocation>()

/** Remembers where an instance's fields are. */
export function setLocation(instance: object, location: FieldLocation): void {
  LOCATIONS.set(instance, location)
}

/** Where an instance's fields are; undefined for anything else. */
export function locationOf(instance: object): FieldLocation | undefined {
  return LOCATIONS.get(instance)
}
