import { Actor, type ActorOptions, Cpu, CpuStruct, type ThreadOptions, ThreadStruct, actors, cpus } from './actor.ts'
import { Memory, setupPort } from './memory.ts'
import type { Program, SyncObject } from './operation.ts'
import { Pool, type PoolOptions } from './pool.ts'
import type { Instance, StructType } from './struct.ts'

/** When a property is evaluated. */
export type PropertyForm = 'always' | 'when-free' | 'at-rest' | 'sometimes'

/** What a property comes to: whether it holds or, where it does not, what is wrong in one clause. */
export type Judgement = boolean | string

/** A property of the machine. */
export interface Property {
  readonly name: string
  readonly form: PropertyForm
  readonly holds: () => Judgement
  /** For `when-free`: the lock whose release it is evaluated at. */
  readonly lock: SyncObject | null
}

/** What a model's `machine()` builds with: shared memory, actors and properties. */
export class Machine {
  readonly memory: Memory = new Memory()
  readonly actors: Actor[] = []
  readonly properties: Property[] = []
  readonly #cpus: Cpu[] = []
  readonly #names = new Set<string>()
  #complete = false

  constructor() {
    this.memory.port = setupPort(this.memory)
  }

  /** Ends setup: what is shared, who runs and what must hold is fixed from here on. */
  complete(): void {
    this.#complete = true
  }

  /**
   * One struct in shared memory.
   * @throws Error when the name is taken
   */
  struct<T extends object>(type: StructType<T>, name: string, values: Partial<T> = {}): Instance<T> {
    this.#claim(name)
    return this.#place(type, name, values)
  }

  /**
   * `count` structs named `name[0]`, `name[1]`, ...; `values` may be a function of the index.
   * @throws Error when the name is taken or the count is no whole number from 0 to 65,536
   */
  array<T extends object>(type: StructType<T>, count: number, name: string, values: Partial<T> | ((index: number) => Partial<T>) = {}): readonly Instance<T>[] {
    this.#claim(name)
    this.#count(count, name)
    return Array.from({ length: count }, (_, i) => this.#place(type, `${name}[${i}]`, typeof values === 'function' ? values(i) : values))
  }

  /**
   * Storage for `count` structs that are allocated and freed.
   * @throws Error when the name is taken or the count is no whole number from 0 to 65,536
   */
  pool<T extends object>(type: StructType<T>, count: number, name: string, options: PoolOptions = {}): Pool<T> {
    this.#claim(name)
    this.#count(count, name)
    return new Pool(this.memory, type, count, name, options)
  }

  /** `count` CPUs that run one thread each; `program` is called once a CPU and gives its generator function. */
  cpus(count: number, program: (cpu: Cpu) => () => Program<unknown>, options: ActorOptions = {}): readonly Actor[] {
    this.#count(count, 'cpus')
    return Array.from({ length: count }, () => {
      const cpu = this.#newCpu(false)
      return this.#actor(program(cpu), [cpu], 'thread', options)
    })
  }

  /** A CPU for several actors: threads given `{ on: cpu }`, and interrupt handlers. */
  cpu(): Cpu {
    this.#open()
    return this.#newCpu(true)
  }

  /** A thread, on a CPU of its own unless `on` says where. */
  thread(program: () => Program<unknown>, options: ThreadOptions = {}): Actor {
    const { on, ...rest } = options
    const places = on === undefined ? [this.#newCpu(false)] : on instanceof Cpu ? [on] : on
    return this.#actor(program, places, 'thread', rest)
  }

  /** An interrupt handler of a CPU: a daemon that runs ahead of the CPU's threads. It takes its interrupt by an operation of the line's. */
  handler(cpu: Cpu, program: () => Program<unknown>): Actor {
    return this.#actor(program, [cpu], 'handler', { daemon: true })
  }

  /** Holds in every stored state, that is, whenever every actor is at a point. */
  always(name: string, holds: () => Judgement): void {
    this.#property({ name, form: 'always', holds, lock: null })
  }

  /** Holds in the initial state and in every step that releases the lock, right after the release. */
  invariant(name: string, holds: () => Judgement, when: { readonly whenFree: SyncObject }): void {
    this.#property({ name, form: 'when-free', holds, lock: when.whenFree })
  }

  /** Holds when every actor that must finish has finished. */
  atRest(name: string, holds: () => Judgement): void {
    this.#property({ name, form: 'at-rest', holds, lock: null })
  }

  /** Holds in some stored state: guards a pass against being vacuous. */
  sometimes(name: string, holds: () => boolean): void {
    this.#property({ name, form: 'sometimes', holds, lock: null })
  }

  /**
   * The actor whose program runs.
   * @throws Error outside programs
   */
  get self(): Actor {
    const { actor } = this.memory.port
    if (!actor) throw new Error('m.self belongs in programs: nobody runs during machine() or in a property')
    return actor
  }

  /** Whether a guard is being evaluated. */
  get isGuarding(): boolean {
    return this.memory.port.guarding ?? false
  }

  /** One of 0 to n - 1; the search tries each. Traces say `what` is chosen, and call the alternatives by `names`. */
  choose(n: number, what = 'choice', names: readonly string[] = []): number {
    if (!Number.isInteger(n) || n < 1) throw new RangeError(`choose(${n}): give the number of alternatives, 1 or more`)
    return n === 1 ? 0 : this.memory.port.choose(n, what, names)
  }

  /**
   * Ends the step with a violation of kind `assertion` unless the condition holds. Given as a function, what it
   * reads are ghost reads: outside the race check; a text that it returns says what is wrong.
   */
  assert(condition: boolean | (() => Judgement), message = 'assertion failed'): void {
    const { port } = this.memory
    const holds = typeof condition === 'function' ? port.ghost(condition) : condition
    if (holds === true) return
    port.fault({ kind: 'assertion', property: message, message: typeof holds === 'string' ? `"${message}" does not hold: ${holds}` : message })
  }

  /** The value of `read`, whose reads are ghost reads: for bookkeeping that the kernel itself does not do. */
  ghost<T>(read: () => T): T {
    return this.memory.port.ghost(read)
  }

  #place<T extends object>(type: StructType<T>, name: string, values: Partial<T>): Instance<T> {
    const instance = type.place(this.memory, name, false)
    type.initialise(instance, values, (field, raw) => this.memory.port.writeHidden(field, raw))
    return instance
  }

  #actor(program: () => Program<unknown>, places: readonly Cpu[], kind: Actor['kind'], options: ActorOptions): Actor {
    this.#open()
    if (typeof program !== 'function') throw new TypeError('an actor runs a generator function: give (cpu) => function* name() { ... }')
    const isShared = places.length > 0 && places.every((cpu) => cpu instanceof Cpu && cpu.state !== null)
    if (!isShared && (kind === 'handler' || places.length !== 1 || this.actors.some(({ cpu }) => cpu === places[0]))) {
      throw new TypeError('several actors share CPUs made by m.cpu() only: give { on: cpu } or { on: [cpu, ...] }')
    }
    const id = this.actors.length
    const name = `${program.name || 'program'}/${id}`
    const state = isShared && kind === 'thread' ? this.struct(ThreadStruct, `thread ${name}`) : null
    const actor = new Actor({ id, name, cpus: places, state, kind, program, options })
    this.actors.push(actor)
    this.memory.instancesOf(actors).push(actor)
    return actor
  }

  #newCpu(isShared: boolean): Cpu {
    const index = this.#cpus.length
    const cpu = new Cpu(index, isShared ? this.struct(CpuStruct, `CPU ${index}`) : null)
    this.#cpus.push(cpu)
    if (isShared) this.memory.instancesOf(cpus).push(cpu)
    return cpu
  }

  #property(property: Property): void {
    this.#open()
    if (this.properties.some(({ name }) => name === property.name)) throw new Error(`two properties are called "${property.name}"`)
    this.properties.push(property)
  }

  #claim(name: string): void {
    this.#open()
    if (this.#names.has(name)) throw new Error(`two things are called "${name}": names must tell them apart in traces`)
    this.#names.add(name)
  }

  #count(count: number, what: string): void {
    if (!Number.isInteger(count) || count < 0 || count > 65_536) {
      throw new RangeError(`${what}: ${count} is not a sensible number of them (0 to 65,536)`)
    }
  }

  #open(): void {
    if (this.#complete) throw new Error('the machine is complete: build it inside machine()')
  }
}
