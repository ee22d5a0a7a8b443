import type { AccessMode, Field, FieldType, Placed, Referable } from './field.ts'
import { type FieldLocation, locationOf, setLocation } from './locations.ts'

/** The field types of a struct's properties. */
export type FieldTypes<T> = { readonly [K in keyof T]: FieldType<T[K]> }

/** One struct in shared memory: its fields as plain properties, and its name. */
export type Instance<T> = T & { readonly name: string }

/** Memory that structs are placed in. */
export interface Placing extends Placed {
  /** Adds a field. */
  field(name: string, type: FieldType<unknown>, access: AccessMode, alive: Field | null, lifeOf?: string | null): Field
  /** Reads a field's value. */
  load(field: Field, name: string): unknown
  /** Writes a field's value. */
  store(field: Field, value: unknown, name: string): void
  /** The raw form of a value. */
  encode(field: Field, value: unknown): number
}

/** A struct declared by {@link struct}. */
export class StructType<T extends object> implements Referable<Instance<T>> {
  /** Its name, in traces and messages. */
  readonly name: string
  /** The types of its fields. */
  readonly types: FieldTypes<T>
  /** The names of its fields, in order. */
  readonly keys: readonly (keyof T & string)[]

  constructor(name: string, types: FieldTypes<T>) {
    this.name = name
    this.types = types
    this.keys = Object.keys(types) as (keyof T & string)[]
  }

  /** Whether some field may be touched without the lock that protects the others. */
  get hasUnlockedFields(): boolean {
    return this.keys.some((key) => this.types[key].access === 'volatile' || this.types[key].access === 'published')
  }

  /** Every instance, in order of creation. */
  instances(placed: Placed): readonly Instance<T>[] {
    return placed.instancesOf(this)
  }

  /** Places an instance; `pooled` gives it a liveness cell, so that uses after its free are found. */
  place(memory: Placing, name: string, pooled: boolean): Instance<T> {
    const aliveAccess: AccessMode = this.hasUnlockedFields ? 'published' : 'plain'
    const alive = pooled ? memory.field(`${name} (allocated)`, ALIVE, aliveAccess, null, name) : null
    const fields = this.keys.map((key) => {
      const type = this.types[key] as FieldType<unknown>
      return memory.field(`${name}.${key}`, type, type.access, alive)
    })
    const instance = Object.create(null, { name: { value: name, enumerable: true } }) as Instance<T>
    this.keys.forEach((key, i) => {
      const field = fields[i] as Field
      Object.defineProperty(instance, key, {
        enumerable: true,
        get: () => memory.load(field, name),
        set: (value: unknown) => {
          memory.store(field, value, name)
        },
      })
    })
    setLocation(instance, { type: this, fields, alive })
    memory.instancesOf(this).push(instance)
    return instance
  }

  /** Gives the fields their initial values: those of `values`, else those of their types. */
  initialise(
    memory: Placing,
    instance: Instance<T>,
    values: Partial<T>,
    write: (field: Field, raw: number) => void,
  ): void {
    const { fields } = locationOf(instance) as FieldLocation
    for (const key of Object.keys(values)) {
      if (!(this.keys as readonly string[]).includes(key)) throw new Error(`struct ${this.name} has no field ${key}`)
    }
    this.keys.forEach((key, i) => {
      const field = fields[i] as Field
      const value = values[key] === undefined ? this.types[key].initial : values[key]
      write(field, memory.encode(field, value))
    })
  }
}

const ALIVE: FieldType<unknown> = {
  describe: 'bool',
  access: 'plain',
  initial: false,
  bits: () => 1,
  encode: (value) => (value ? 1 : 0),
  decode: (raw) => raw !== 0,
}

/**
 * Declares a struct of shared memory: a name for traces, and a range for each field.
 * @throws RangeError when a field is called `name`, which every instance has
 * @example
 * const Entry = struct('entry', { wired: u4, inTransition: bool })
 * const entry = m.struct(Entry, 'map entry', { wired: 1 })
 * m.thread(function* unwires() {
 *   entry.wired -= 1
 * })
 */
export function struct<T extends object>(name: string, types: FieldTypes<T>): StructType<T> {
  if ('name' in types) throw new RangeError(`struct ${name}: a field cannot be called "name"`)
  return new StructType<T>(name, types)
}
