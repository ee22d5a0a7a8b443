import { type Field, range } from './field.ts'
import { locationOf } from './locations.ts'
import type { Memory } from './memory.ts'
import type { Instance, StructType } from './struct.ts'

/** Which storage an allocation gets: the lowest free one, the last freed one (a slab's free list), always fresh storage, or any free one, by a choice of the search. */
export type Reuse = 'lowest' | 'lifo' | 'never' | 'any'

/** The options of a pool. */
export interface PoolOptions {
  /** Default `lowest`; of interchangeable storage `any`, and nothing else. */
  readonly reuse?: Reuse
  /** Whether the kernel treats the instances alike: keeps references to them, and no order or arithmetic. Default false. */
  readonly interchangeable?: boolean
  /** Whether {@link Pool.allocate} may return null although storage is left: a choice of the search. Default false. */
  readonly fallible?: boolean
}

/** Storage for instances that are allocated and freed; a use after the free is a violation. */
export class Pool<T extends object> {
  /** Its name, in traces and messages. */
  readonly name: string
  /** Every instance, allocated or not, for properties over all of them. */
  readonly instances: readonly Instance<T>[]
  readonly #type: StructType<T>
  readonly #memory: Memory
  readonly #reuse: Reuse
  readonly #fallible: boolean
  /** `lifo`: depth of the free stack and its slots; `never`: instances handed out so far. */
  readonly #top: Field
  readonly #stack: readonly Field[]

  constructor(memory: Memory, type: StructType<T>, count: number, name: string, options: PoolOptions) {
    this.name = name
    this.#memory = memory
    this.#type = type
    this.#reuse = options.reuse ?? (options.interchangeable ? 'any' : 'lowest')
    if (options.interchangeable && this.#reuse !== 'any')
      throw new TypeError(
        `pool ${name}: reuse '${this.#reuse}' tells instances apart that are to be interchangeable; leave it out`,
      )
    this.#fallible = options.fallible ?? false
    this.instances = Array.from({ length: count }, (_, i) => type.place(memory, `${name}[${i}]`, true))
    const cell = (label: string): Field => memory.field(`${name} (${label})`, range(0, count), 'plain', null)
    this.#top = cell('free')
    this.#stack = this.#reuse === 'lifo' ? this.instances.map((_, i) => cell(`free list ${i}`)) : []
    this.#reset()
  }

  /** Whether `instance` is allocated now; a ghost question, for properties. */
  isAllocated(instance: Instance<T>): boolean {
    const { port } = this.#memory
    return port.ghost(() => port.read(this.#alive(instance))) !== 0
  }

  /**
   * Allocates an instance with the given field values; the others get their types' initial values.
   * Returns null when storage is exhausted or, in a fallible pool, whenever the search chooses so.
   */
  allocate(values: Partial<T> = {}): Instance<T> | null {
    const { port } = this.#memory
    if (this.#fallible && port.choose(2, `allocating ${this.name}`, ['succeeds', 'fails']) === 1) return null
    const index = this.#take()
    if (index < 0) return null
    const instance = this.instances[index] as Instance<T>
    port.write(this.#alive(instance), 1)
    this.#type.initialise(this.#memory, instance, values, (field, raw) => port.writeHidden(field, raw))
    return instance
  }

  /** Frees an instance; freeing it twice is a violation of kind `use-after-free`. */
  free(instance: Instance<T>): void {
    const { port } = this.#memory
    if (instance === null) throw new TypeError(`${this.name}.free: null, as an allocation that failed gives it`)
    const location = locationOf(instance)
    const index = this.instances.indexOf(instance)
    if (!location || index < 0) throw new TypeError(`${this.name}.free: not an instance of this pool`)
    const alive = this.#alive(instance)
    port.touch(alive, instance.name)
    port.write(alive, 0)
    for (const field of location.fields) port.writeHidden(field, 0)
    if (this.#reuse === 'lifo') {
      const top = port.read(this.#top)
      port.write(this.#stack[top] as Field, index)
      port.write(this.#top, top + 1)
    }
  }

  #alive(instance: Instance<T>): Field {
    return locationOf(instance)?.alive as Field
  }

  #take(): number {
    const { port } = this.#memory
    if (this.#reuse === 'lowest') return this.instances.findIndex((instance) => port.read(this.#alive(instance)) === 0)
    if (this.#reuse === 'any') return this.#takeAny()
    const top = port.read(this.#top)
    if (this.#reuse === 'never') {
      if (top === this.instances.length) return -1
      port.write(this.#top, top + 1)
      return top
    }
    if (top === 0) return -1
    const slot = this.#stack[top - 1] as Field
    const index = port.read(slot)
    port.write(slot, 0)
    port.write(this.#top, top - 1)
    return index
  }

  #takeAny(): number {
    const { port } = this.#memory
    const free = this.instances.filter((instance) => port.read(this.#alive(instance)) === 0)
    if (free.length === 0) return -1
    const chosen =
      free.length === 1
        ? 0
        : port.choose(
            free.length,
            `storage of ${this.name}`,
            free.map(({ name }) => name),
            free,
          )
    return this.instances.indexOf(free[chosen] as Instance<T>)
  }

  #reset(): void {
    if (this.#reuse !== 'lifo') return
    const { initial } = this.#memory
    initial[this.#top.id] = this.instances.length
    this.#stack.forEach((slot, i) => (initial[slot.id] = this.instances.length - 1 - i))
  }
}
