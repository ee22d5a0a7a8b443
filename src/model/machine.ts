import { Actor, type ActorOptions, Cpu, CpuStruct, type ThreadOptions, ThreadStruct, actors, cpus } from './actor.ts'
import type { Field } from './field.ts'
import { locationOf } from './locations.ts'
import type { MachineParts } from './machine-parts.ts'
import type { Property, PropertyResult } from './property.ts'
import type { Program, SyncObject } from './operation.ts'
import { PerActor } from './per-actor.ts'
import { Pool, type PoolOptions } from './pool.ts'
import type { Instance, StructType } from './struct.ts'

/** CPUs of a machine at most. */
const MAX_CPUS = 30

/** The options of an array of structs. */
export interface ArrayOptions {
  /** Whether the kernel treats them alike: keeps references to them, and no order or arithmetic. Default false. */
  readonly interchangeable?: boolean
}

/** The builder that a model's `machine()` gets: shared memory, actors and properties. */
export class Machine {
  readonly #parts: MachineParts
  readonly #perActor: PerActor<object>[] = []
  readonly #cpus: Cpu[] = []
  readonly #names = new Set<string>()

  /** @param parts what is built */
  constructor(parts: MachineParts) {
    this.#parts = parts
  }

  /** The actors made so far, in order. */
  get actors(): readonly Actor[] {
    return this.#parts.actors
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
  array<T extends object>(
    type: StructType<T>,
    count: number,
    name: string,
    values: Partial<T> | ((index: number) => Partial<T>) = {},
    options: ArrayOptions = {},
  ): readonly Instance<T>[] {
    this.#claim(name)
    this.#count(count, name)
    const made = Array.from({ length: count }, (_, i) =>
      this.#place(type, `${name}[${i}]`, typeof values === 'function' ? values(i) : values),
    )
    if (options.interchangeable) this.#declare(name, made)
    return made
  }

  /** One struct for each actor, made before or after: `.of(m.self)` in programs. */
  perActor<T extends object>(type: StructType<T>, name: string, values: Partial<T> = {}): PerActor<T> {
    this.#claim(name)
    const made = new PerActor<T>(name, (actor) => {
      this.#open()
      const instance = this.#place(type, `${name}[${actor.id}]`, values)
      const member = this.#parts.interchangeable.flatMap(({ members }) => members).find((one) => one.actor === actor)
      member?.fields.push(...(locationOf(instance)?.fields ?? []))
      return instance
    })
    for (const actor of this.actors) made.add(actor)
    this.#perActor.push(made as unknown as PerActor<object>)
    return made
  }

  /**
   * Storage for `count` structs that are allocated and freed.
   * @throws Error when the name is taken or the count is no whole number from 0 to 65,536
   */
  pool<T extends object>(type: StructType<T>, count: number, name: string, options: PoolOptions = {}): Pool<T> {
    this.#claim(name)
    this.#count(count, name)
    const pool = new Pool(this.#parts.memory, type, count, name, options)
    if (options.interchangeable) this.#declare(name, pool.instances)
    return pool
  }

  /**
   * `count` CPUs that run one thread each; `program` is called once a CPU and gives its generator function. CPUs whose
   * programs hold nothing that tells them apart, but what was made for each alike, are interchangeable.
   */
  cpus(count: number, program: (cpu: Cpu) => () => Program<unknown>, options: ActorOptions = {}): readonly Actor[] {
    this.#count(count, 'cpus')
    const { fields } = this.#parts.memory
    const members = Array.from({ length: count }, () => {
      const start = fields.length
      const cpu = this.#newCpu(false)
      const actor = this.#actor(program(cpu), [cpu], 'thread', options)
      return { name: cpu.name, actor, fields: fields.slice(start), roots: [actor, cpu, actor.program] }
    })
    if (count > 1)
      this.#parts.interchangeable.push({
        name: `${members[0]?.name} to ${members.at(-1)?.name}`,
        isDeclared: false,
        members,
      })
    return members.map(({ actor }) => actor)
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

  /**
   * An interrupt handler of a CPU: a daemon that runs ahead of the CPU's threads. It takes its interrupt by an operation of the line's.
   *
   * @param isDue whether its interrupt is pending and can be taken now; asked when interrupts are switched on
   */
  handler(cpu: Cpu, program: () => Program<unknown>, isDue: () => boolean): Actor {
    const actor = this.#actor(program, [cpu], 'handler', { daemon: true })
    cpu.handlers.push({ actor, isDue })
    return actor
  }

  /** Holds in every stored state, that is, whenever every actor is at a point. */
  always(name: string, holds: () => PropertyResult): void {
    this.#property({ name, form: 'always', holds, lock: null })
  }

  /** Holds in the initial state and in every step that releases the lock, right after the release. */
  invariant(
    name: string,
    holds: () => PropertyResult,
    when: { readonly whenFree: SyncObject | { readonly word: SyncObject } },
  ): void {
    const given = when?.whenFree as Partial<SyncObject> & { readonly word?: SyncObject }
    const lock = given?.word ?? given
    const isFreed = Object.values(lock?.operations ?? {}).some(
      (primitive) => primitive.class === 'release' || primitive.frees,
    )
    if (!isFreed)
      throw new TypeError(`invariant "${name}": whenFree must be a lock, an object with an operation that releases it`)
    this.#property({ name, form: 'when-free', holds, lock: lock as SyncObject })
  }

  /** Must hold at rest: when every actor that must finish has finished, and no daemon can change a field any more. */
  atRest(name: string, holds: () => PropertyResult): void {
    this.#property({ name, form: 'at-rest', holds, lock: null })
  }

  /** Holds in some stored state: guards a pass against being vacuous. */
  sometimes(name: string, holds: () => boolean): void {
    this.#property({ name, form: 'sometimes', holds, lock: null })
  }

  /**
   * Bounds what is explored: a state in which it does not hold is still checked, but nothing beyond it is explored, and no
   * one there counts as stuck. A pass says so under Assuming, with the number of such states. For counters that never end.
   *
   * @example
   * const Space = struct('space', { generation: volatile(u8) })
   * const space = m.struct(Space, 'space')
   * m.within('three generations', () => space.generation <= 3)
   * m.cpus(2, () => function* recycles() {
   *   for (;;) space.generation++
   * }, { endless: true })
   */
  within(name: string, holds: () => boolean): void {
    this.#property({ name, form: 'within', holds, lock: null })
  }

  /**
   * The actor whose program runs.
   * @throws Error outside programs
   */
  get self(): Actor {
    const { actor } = this.#parts.memory.port
    if (!actor) throw new Error('m.self belongs in programs: no program runs during machine() or in a property')
    return actor
  }

  /** Whether a guard is being evaluated. */
  get isGuarding(): boolean {
    return this.#parts.memory.port.guarding ?? false
  }

  /** One of 0 to n - 1; the search tries each. Traces say `what` is chosen, and call the alternatives by `names`. */
  choose(n: number, what = 'choice', names: readonly string[] = []): number {
    if (!Number.isInteger(n) || n < 1) throw new RangeError(`choose(${n}): give the number of alternatives, 1 or more`)
    return n === 1 ? 0 : this.#parts.memory.port.choose(n, what, names)
  }

  /** One of some things, in no order; the search tries each. Traces say `what` is chosen. */
  pick<T extends { readonly name: string }>(list: readonly T[], what: string): T {
    if (list.length === 0) throw new RangeError(`pick(${what}): there is nothing to choose among`)
    const chosen =
      list.length === 1
        ? 0
        : this.#parts.memory.port.choose(
            list.length,
            what,
            list.map(({ name }) => name),
            list,
          )
    return list[chosen] as T
  }

  /**
   * Ends the step with a violation of kind `assertion` unless the condition holds. Given as a function, what it
   * reads are ghost reads: outside the race check; a text that it returns says what is wrong.
   */
  assert(condition: boolean | (() => PropertyResult), message = 'assertion failed'): void {
    const { port } = this.#parts.memory
    const holds = typeof condition === 'function' ? (port.judge?.(condition) ?? port.ghost(condition)) : condition
    if (holds === true) return
    port.violated({
      kind: 'assertion',
      property: message,
      message: typeof holds === 'string' ? `"${message}" does not hold: ${holds}` : message,
    })
  }

  /** The value of `read`, whose reads are ghost reads: for bookkeeping that the kernel itself does not do. */
  ghost<T>(read: () => T): T {
    return this.#parts.memory.port.ghost(read)
  }

  #place<T extends object>(type: StructType<T>, name: string, values: Partial<T>): Instance<T> {
    const instance = type.place(this.#parts.memory, name, false)
    type.initialise(this.#parts.memory, instance, values, (field, raw) =>
      this.#parts.memory.port.writeHidden(field, raw),
    )
    return instance
  }

  #actor(program: () => Program<unknown>, places: readonly Cpu[], kind: Actor['kind'], options: ActorOptions): Actor {
    this.#open()
    if (typeof program !== 'function')
      throw new TypeError('an actor runs a generator function: give (cpu) => function* name() { ... }')
    const isShared = places.length > 0 && places.every((cpu) => cpu instanceof Cpu && cpu.state !== null)
    if (!isShared && (kind === 'handler' || places.length !== 1 || this.actors.some(({ cpu }) => cpu === places[0]))) {
      throw new TypeError('several actors share CPUs made by m.cpu() only: give { on: cpu } or { on: [cpu, ...] }')
    }
    const id = this.actors.length
    const name = `${program.name || 'program'}/${id}`
    const state = isShared && kind === 'thread' ? this.struct(ThreadStruct, `thread ${name}`) : null
    const actor = new Actor({ id, name, cpus: places, state, kind, program, options })
    this.#parts.actors.push(actor)
    this.#parts.memory.instancesOf(actors).push(actor)
    for (const made of this.#perActor) made.add(actor)
    return actor
  }

  #declare(name: string, instances: readonly Instance<object>[]): void {
    const members = instances.map((instance) => {
      const { fields, alive } = locationOf(instance) as { fields: readonly Field[]; alive: Field | null }
      return { name: instance.name, actor: null, fields: alive ? [alive, ...fields] : [...fields], roots: [instance] }
    })
    if (members.length > 1) this.#parts.interchangeable.push({ name, isDeclared: true, members })
  }

  #newCpu(isShared: boolean): Cpu {
    const index = this.#cpus.length
    if (index === MAX_CPUS)
      throw new TypeError(`a machine has at most ${MAX_CPUS} CPUs: sets of them are words of so many bits`)
    const cpu = new Cpu(index, isShared ? this.struct(CpuStruct, `CPU ${index}`) : null, this.#parts.memory)
    this.#cpus.push(cpu)
    if (isShared) this.#parts.memory.instancesOf(cpus).push(cpu)
    return cpu
  }

  #property(property: Property): void {
    this.#open()
    if (typeof property.name !== 'string' || property.name === '')
      throw new TypeError('a property needs a name: m.always("name", () => ...)')
    if (typeof property.holds !== 'function')
      throw new TypeError(`property "${property.name}": give a function that looks at the state, () => ...`)
    if (this.#parts.properties.some(({ name }) => name === property.name))
      throw new Error(`two properties are called "${property.name}"`)
    this.#parts.properties.push(property)
  }

  #claim(name: string): void {
    this.#open()
    if (this.#names.has(name)) throw new Error(`two things are called "${name}": names must tell them apart in traces`)
    this.#names.add(name)
  }

  #count(count: number, what: string): void {
    if (!Number.isInteger(count) || count < 0 || count > 65_536) {
      throw new RangeError(`${what}: count must be an integer from 0 to 65,536 (got ${String(count)})`)
    }
  }

  #open(): void {
    if (this.#parts.isComplete) throw new Error('the machine is complete: build it inside machine()')
  }
}
