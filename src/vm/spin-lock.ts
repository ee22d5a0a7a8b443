import {
  type Actor,
  type Instance,
  type Machine,
  Operation,
  type Primitive,
  type Program,
  type SyncObject,
  actors,
  event,
  holding,
  internal,
  queueing,
  ref,
  setOf,
  struct,
} from 'vmcheck'
import { Mutex } from './mutex.ts'
import { disableInterrupts, disablePreemption, enableInterrupts, enablePreemption } from './processor.ts'
import { checkOptions } from './options.ts'

/** The options of a spin lock: what it switches off on its CPU while it is held or waited for. */
export interface SpinLockOptions {
  /** Interrupts, and with them preemption. */
  readonly interrupts?: 'off' | 'kept'
  /** Preemption alone. */
  readonly preemption?: 'off' | 'kept'
  /** Whether it is ever tried, or looked at by guards. */
  readonly tryable?: boolean
}

/**
 * A lock whose waiters keep their CPU. What it switches off is off before the first attempt.
 *
 * @example
 * const page = m.struct(Page, 'page')
 * const lock = new SpinLock(m, 'page.lock', { interrupts: 'off' })
 * m.thread(function* count() {
 *   yield* lock.acquire()
 *   page.v += 1
 *   yield* lock.release()
 * }, { on: m.cpu() })
 */
export class SpinLock {
  /** Its name, in traces and messages. */
  readonly name: string
  /** The lock itself: for `whenFree`, and for who holds it. */
  readonly word: Mutex
  readonly #interrupts: boolean
  readonly #preemption: boolean

  constructor(m: Machine, name: string, options: SpinLockOptions = {}) {
    checkOptions(`spin lock ${name}`, options, ['interrupts', 'preemption', 'tryable'])
    this.name = name
    this.word = new Mutex(m, name, { waiting: 'spin', tryable: options.tryable ?? false })
    this.#interrupts = options.interrupts === 'off'
    this.#preemption = options.preemption === 'off'
  }

  /** Switches off what it switches off, then spins until the lock is free, and takes it. */
  *acquire(): Program {
    if (this.#interrupts) yield* disableInterrupts()
    if (this.#preemption) yield* disablePreemption()
    yield* this.word.acquire()
  }

  /** Gives the lock back, then switches on again. */
  *release(): Program {
    yield* this.word.release()
    if (this.#preemption) yield* enablePreemption()
    if (this.#interrupts) yield* enableInterrupts()
  }
}

interface RwState {
  writer: Actor | null
  /** One bit an actor. */
  readers: number
  /** Writers that wait, where they hold readers off: one bit an actor. */
  waiting: number
}

const RwStruct = struct<RwState>('rwlock', {
  writer: internal(holding(ref(actors), { spins: true })),
  readers: internal(holding(setOf(actors), { spins: true })),
  waiting: internal(queueing(setOf(actors))),
})
const TryableRwStruct = struct<RwState>('rwlock', {
  writer: event(holding(ref(actors), { spins: true })),
  readers: event(holding(setOf(actors), { spins: true })),
  waiting: event(queueing(setOf(actors))),
})

function mayRead({ writer, waiting }: RwState): boolean {
  return writer === null && waiting === 0
}

function mayWrite({ writer, readers }: RwState): boolean {
  return writer === null && readers === 0
}

/** An attempt that takes what it may have at once, and tells whether it did. */
function tried(
  may: (state: RwState) => boolean,
  take: (lock: RwSpinLock, actor: Actor) => void,
): Primitive<RwSpinLock> {
  return {
    class: 'other',
    perform: (lock, actor) => {
      if (!may(lock.state)) return false
      take(lock, actor)
      return true
    },
    detail: () => 'without waiting',
  }
}

function operations(tryable: boolean): Readonly<Record<string, Primitive<RwSpinLock>>> {
  const [acquire, release] = tryable ? (['other', 'other'] as const) : (['acquire', 'release'] as const)
  const read = ({ state, name }: RwSpinLock, actor: Actor): void => {
    const bit = 1 << actor.id
    if ((state.readers & bit) !== 0) throw new Error(`${actor.name} takes ${name} for reading twice`)
    state.readers |= bit
  }
  const write = ({ state }: RwSpinLock, actor: Actor): void => {
    state.waiting &= ~(1 << actor.id)
    state.writer = actor
  }
  return {
    read: { class: acquire, enabled: ({ state }) => mayRead(state), perform: read, holders: (lock) => lock.ahead },
    announce: {
      class: acquire,
      perform: ({ state }, actor) => {
        state.waiting |= 1 << actor.id
      },
      detail: () => 'want write',
    },
    write: { class: acquire, enabled: ({ state }) => mayWrite(state), perform: write, holders: (lock) => lock.holders },
    tryRead: tried(mayRead, read),
    tryWrite: tried(mayWrite, write),
    release: {
      class: release,
      perform: ({ state, name }, actor) => {
        const bit = 1 << actor.id
        if (state.writer === actor) state.writer = null
        else if ((state.readers & bit) !== 0) state.readers &= ~bit
        else throw new Error(`${actor.name} releases ${name}, which it does not hold`)
      },
      frees: () => true,
    },
  }
}

const RW = { plain: operations(false), tryable: operations(true) }

/** How a reader/writer lock is used. */
export interface RwSpinLockOptions {
  /** Whether it is tried for reading, or looked at by guards. */
  readonly tryable?: boolean
  /** Whether a writer that waits holds new readers off. Default false: no one has precedence. */
  readonly prefersWriters?: boolean
}

/**
 * A reader/writer lock whose waiters keep their CPU, interrupts and preemption being as they are. Not recursive.
 *
 * @example
 * const page = m.struct(Page, 'page')
 * const lock = new RwSpinLock(m, 'map.lock', { tryable: true })
 * m.thread(function* writer() {
 *   yield* lock.write()
 *   page.v = 1
 *   yield* lock.release()
 * })
 * m.thread(function* reader() {
 *   if (yield* lock.tryRead()) yield* lock.release()
 * })
 */
export class RwSpinLock implements SyncObject {
  /** Its name, in traces and messages. */
  readonly name: string
  /** Its operations, by name. */
  readonly operations: Readonly<Record<string, Primitive<never>>>
  /** Inside its operations, and for properties. */
  readonly state: Instance<RwState>
  readonly #actors: readonly Actor[]
  readonly #prefersWriters: boolean

  constructor(m: Machine, name: string, options: RwSpinLockOptions = {}) {
    checkOptions(`reader/writer lock ${name}`, options, ['tryable', 'prefersWriters'])
    this.name = name
    this.#prefersWriters = options.prefersWriters ?? false
    this.operations = RW[options.tryable ? 'tryable' : 'plain'] as Readonly<Record<string, Primitive<never>>>
    this.state = m.struct(options.tryable ? TryableRwStruct : RwStruct, name)
    this.#actors = m.actors
  }

  /** Spins until no writer is inside. */
  read(): Operation<void> {
    return new Operation(this, 'read')
  }

  /** Spins until no one is inside. */
  *write(): Program {
    if (this.#prefersWriters) yield* new Operation<void>(this, 'announce')
    yield* new Operation<void>(this, 'write')
  }

  /**
   * Takes the lock for reading if no writer is inside; whether it did.
   * @throws Error unless the lock was made `tryable`
   */
  tryRead(): Operation<boolean> {
    this.#checkTryable()
    return new Operation(this, 'tryRead')
  }

  /**
   * Takes the lock for writing if no actor is inside; whether it did.
   * @throws Error unless the lock was made `tryable`
   */
  tryWrite(): Operation<boolean> {
    this.#checkTryable()
    return new Operation(this, 'tryWrite')
  }

  #checkTryable(): void {
    if (this.operations !== RW.tryable)
      throw new Error(`${this.name} is tried but was not made so: new RwSpinLock(m, name, { tryable: true })`)
  }

  /** Gives a read or the write hold back. */
  release(): Operation<void> {
    return new Operation(this, 'release')
  }

  /** The actors that hold it. */
  get holders(): Actor[] {
    const { writer, readers } = this.state
    return writer ? [writer] : this.#actors.filter(({ id }) => ((readers >> id) & 1) === 1)
  }

  /** The writers that keep new readers out. */
  get ahead(): Actor[] {
    const { writer, waiting } = this.state
    return writer ? [writer] : this.#actors.filter(({ id }) => ((waiting >> id) & 1) === 1)
  }

  /** Whether a reader could enter: for guards of a tryable lock, and properties. */
  get isReadable(): boolean {
    return mayRead(this.state)
  }

  /** Whether no one is inside: for properties. */
  get isFree(): boolean {
    return mayWrite(this.state)
  }
}
