import type { Actor } from '../../model/actor.ts'
import type { Field } from '../../model/field.ts'
import type { Fault, Memory, MemoryPort } from '../../model/memory.ts'
import { type Layout, readCell } from './layout.ts'

/** Shows one stored state to properties and reports: reads only. */
export class StateReader implements MemoryPort {
  /** The actor that asks, if one does. */
  actor: Actor | null = null
  readonly #memory: Memory
  readonly #layout: Layout
  #words: Int32Array = new Int32Array(0)
  /** Raw values read, by field id in order of the first read, while they are recorded. */
  #read: Map<number, number> | null = null

  constructor(memory: Memory, layout: Layout) {
    this.#memory = memory
    this.#layout = layout
  }

  /**
   * Runs `body` with the machine's memory showing the state `words`.
   *
   * @param actor what `m.self` is meanwhile
   */
  within<T>(words: Int32Array, body: () => T, actor: Actor | null = null): T {
    const before = this.#memory.port
    const [outer, asker] = [this.#words, this.actor]
    this.#memory.port = this
    this.#words = words
    this.actor = actor
    try {
      return body()
    } finally {
      this.#memory.port = before
      this.#words = outer
      this.actor = asker
    }
  }

  /** Runs `body` and tells which fields it read: raw values by field id, in order. */
  observed<T>(body: () => T): { readonly result: T; readonly read: ReadonlyMap<number, number> } {
    const read = new Map<number, number>()
    const outer = this.#read
    this.#read = read
    try {
      return { result: body(), read }
    } finally {
      this.#read = outer
    }
  }

  /** A field's value in a state, as traces show it. */
  value(field: Field, words: Int32Array): unknown {
    return this.shown(field, readCell(words, this.#layout.cells[field.id] as never))
  }

  /** What a raw value of a field stands for, as traces show it. */
  shown(field: Field, raw: number): unknown {
    const value = field.type.decode(raw, this.#memory)
    return field.type.show?.(value) ?? value
  }

  read(field: Field): number {
    const raw = readCell(this.#words, this.#layout.cells[field.id] as never)
    this.#read?.set(field.id, raw)
    return raw
  }

  write(field: Field): never {
    throw new TypeError(`a property writes ${field.name}`)
  }

  writeHidden(field: Field): never {
    return this.write(field)
  }

  touch(alive: Field, name: string): void {
    if (this.read(alive) === 0)
      throw new TypeError(`${name} is read by a property although it is not allocated; ask pool.isAllocated first`)
  }

  choose(): never {
    throw new TypeError('a property makes a choice')
  }

  ghost<T>(body: () => T): T {
    return body()
  }

  violated(fault: Fault): void {
    this.fault(fault)
  }

  fault(fault: Fault): never {
    throw new TypeError(fault.message)
  }
}
