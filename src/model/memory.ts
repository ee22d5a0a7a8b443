import type { Actor } from './actor.ts'
import type { AccessMode, Field, FieldType, Referable } from './field.ts'
import { locationOf } from './locations.ts'
import type { PropertyResult } from './property.ts'

/** Why a step went wrong: becomes the leaf of a step, a violation without successor. */
export interface Fault {
  /** The kind of violation. */
  readonly kind: 'assertion' | 'invariant' | 'range' | 'use-after-free' | 'exception' | 'imbalance' | 'sleep-in-atomic'
  /** The property's name, or the field's or instance's that it is about. */
  readonly property: string
  /** The message, in one clause. */
  readonly message: string
}

/**
 * What executes accesses and choices: the explorer's step executor, a view of one stored state, or the
 * list of initial values while `machine()` runs.
 */
export interface MemoryPort {
  /** The actor whose step runs, or null outside steps. */
  readonly actor: Actor | null
  /** A guard is being evaluated. */
  readonly guarding?: boolean
  read(field: Field): number
  /** @param fault the violation that the access ends in: the value is out of the field's range */
  write(field: Field, raw: number, fault?: Fault | null): void
  /** Writes a field as part of another access: no point, no race of its own. */
  writeHidden(field: Field, raw: number): void
  /** Says that an instance is being touched, before a field of it is. */
  touch(alive: Field, name: string): void
  /** One of 0 to n - 1; `names` is what traces call the alternatives, `among` the things that they are, whose order means nothing. */
  choose(n: number, what: string, names: readonly string[], among?: readonly object[]): number
  /** A thread alone on its CPU, or a handler, switches something off once more (1), or undoes that (-1). */
  switched?(what: 'interrupts' | 'preemption', by: 1 | -1): void
  /** A handler ends: a violation where it has left something switched off. */
  handled?(): void
  /** Something that tells a thing apart from others like it was read. */
  distinguish?(what: object): void
  /** Runs `body` with its reads being ghost reads. */
  ghost<T>(body: () => T): T
  /** Evaluates the condition of an assertion; by ghost reads as they come, unless the port knows better. */
  judge?(condition: () => PropertyResult): PropertyResult
  /** Something that the model states does not hold: ends the step with a violation, unless no one looks for such. */
  violated(fault: Fault): void
  /** Ends the step with a violation: it cannot continue. */
  fault(fault: Fault): never
}

/** Thrown where shared memory is used outside `machine()` and outside a step. */
export class NoStepError extends Error {
  override readonly name = 'NoStepError'
}

const NO_PORT: MemoryPort = (() => {
  const refuse = (): never => {
    throw new NoStepError('shared memory can be used only inside machine() and inside programs')
  }
  return {
    actor: null,
    read: refuse,
    write: refuse,
    writeHidden: refuse,
    touch: refuse,
    choose: refuse,
    ghost: refuse,
    violated: refuse,
    fault: refuse,
  }
})()

/** The shared memory of one machine: its fields, their initial values, and the port that executes accesses now. */
export class Memory {
  readonly fields: Field[] = []
  /** Initial raw values by field id. */
  readonly initial: number[] = []
  /** Things that set-up told apart from others like them. */
  readonly distinguished: Set<object> = new Set()
  /** Who executes accesses; replaced around every step. */
  port: MemoryPort = NO_PORT
  readonly #instances = new Map<object, object[]>()

  /** Adds a field. */
  field(
    name: string,
    type: FieldType<unknown>,
    access: AccessMode,
    alive: Field | null,
    lifeOf: string | null = null,
  ): Field {
    const field: Field = { id: this.fields.length, name, type, access, alive, lifeOf }
    this.fields.push(field)
    this.initial.push(0)
    return field
  }

  /** The instances of a type made so far, in order of creation. */
  instancesOf<T>(type: Referable<T>): T[] {
    let list = this.#instances.get(type)
    if (!list) this.#instances.set(type, (list = []))
    return list as T[]
  }

  /** The fields of a struct instance, its liveness cell first; null for anything else. */
  fieldsOf(instance: object): readonly Field[] | null {
    const found = locationOf(instance)
    if (!found || !this.#instances.has(found.type)) return null
    return found.alive ? [found.alive, ...found.fields] : found.fields
  }

  /** The structs placed so far, type by type in order of first use: their types' names, their own, and their fields. */
  structs(): { readonly type: string; readonly name: string; readonly fields: readonly Field[] }[] {
    return [...this.#instances].flatMap(([type, instances]) =>
      instances.flatMap((instance) => {
        const placed = locationOf(instance)
        if (!placed) return []
        const { name } = instance as { name: string }
        return [
          {
            type: (type as { name: string }).name,
            name,
            fields: placed.alive ? [placed.alive, ...placed.fields] : placed.fields,
          },
        ]
      }),
    )
  }

  /** Every referable instance, type by type in order of first use. */
  allInstances(): object[] {
    return [...this.#instances.values()].flat()
  }

  /** Reads a field's value. */
  load(field: Field, name: string): unknown {
    if (field.alive) this.port.touch(field.alive, name)
    return field.type.decode(this.port.read(field), this)
  }

  /** Writes a field's value; a value out of its range is a violation of kind `range`. */
  store(field: Field, value: unknown, name: string): void {
    if (field.alive) this.port.touch(field.alive, name)
    const raw = field.type.encode(value, this)
    this.port.write(field, raw, raw < 0 ? outOfRange(field, value) : null)
  }

  /** The raw form of a value for a field, or a `range` fault. */
  encode(field: Field, value: unknown): number {
    const raw = field.type.encode(value, this)
    if (raw < 0) this.port.fault(outOfRange(field, value))
    return raw
  }
}

function outOfRange(field: Field, value: unknown): Fault {
  return {
    kind: 'range',
    property: field.name,
    message: `${field.name} is ${field.type.describe} and cannot hold ${showValue(value)}`,
  }
}

/** The port that `machine()` runs on: accesses set initial values. */
export function setupPort(memory: Memory): MemoryPort {
  const write = (field: Field, raw: number, fault: Fault | null = null): void => {
    if (fault) throw new RangeError(fault.message)
    memory.initial[field.id] = raw
  }
  return {
    actor: null,
    read: (field) => memory.initial[field.id] as number,
    write,
    writeHidden: write,
    touch: (alive, name) => {
      if (!memory.initial[alive.id]) throw new Error(`${name} is not allocated yet`)
    },
    choose: () => {
      throw new Error('choose() belongs in programs: machine() has no choices')
    },
    distinguish: (what) => memory.distinguished.add(what),
    ghost: (body) => body(),
    violated: (fault) => {
      throw new RangeError(fault.message)
    },
    fault: (fault) => {
      throw new RangeError(fault.message)
    },
  }
}

/** A value as traces and messages show it: instances by name, never by number. */
export function showValue(value: unknown): string {
  if (value !== null && typeof value === 'object') {
    const { name } = value as { name?: unknown }
    return typeof name === 'string' ? name : Array.isArray(value) ? `[${value.map(showValue).join(', ')}]` : 'an object'
  }
  if (typeof value === 'function') return value.name || 'a function'
  return typeof value === 'string' ? value : String(value)
}
