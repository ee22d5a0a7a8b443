import { type Actor, type Instance, type Machine, Operation, type Primitive, type Program, type SyncObject, actors, internal, ref, struct, u } from 'vmcheck'
import { Mutex } from './mutex.ts'
import { disableInterrupts, disablePreemption, enableInterrupts, enablePreemption } from './processor.ts'

/** What a spin lock switches off on its CPU while it is held or waited for. */
export interface SpinLockOptions {
  /** Interrupts, and with them preemption. */
  readonly interrupts?: 'off' | 'kept'
  readonly preemption?: 'off' | 'kept'
}

/** A lock whose waiters keep their CPU. What it switches off is off before the first attempt. */
export class SpinLock {
  readonly name: string
  /** The lock itself: for `whenFree`, and for who holds it. */
  readonly word: Mutex
  readonly #interrupts: boolean
  readonly #preemption: boolean

  constructor(m: Machine, name: string, options: SpinLockOptions = {}) {
    this.name = name
    this.word = new Mutex(m, name, { waiting: 'spin' })
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
}

const RwStruct = struct<RwState>('rwlock', { writer: internal(ref(actors)), readers: internal(u(30)) })

const RW: Readonly<Record<string, Primitive<RwSpinLock>>> = {
  read: {
    class: 'acquire',
    enabled: ({ state }) => state.writer === null,
    perform: ({ state }, actor) => {
      state.readers |= 1 << actor.id
    },
    holders: ({ state }) => (state.writer ? [state.writer] : []),
  },
  write: {
    class: 'acquire',
    enabled: ({ state }) => state.writer === null && state.readers === 0,
    perform: ({ state }, actor) => {
      state.writer = actor
    },
    holders: ({ state, actors }) => (state.writer ? [state.writer] : actors.filter(({ id }) => ((state.readers >> id) & 1) === 1)),
  },
  release: {
    class: 'release',
    perform: ({ state, name }, actor) => {
      const bit = 1 << actor.id
      if (state.writer === actor) state.writer = null
      else if ((state.readers & bit) !== 0) state.readers &= ~bit
      else throw new Error(`${actor.name} releases ${name}, which it does not hold`)
    },
  },
}

/** A reader/writer lock whose waiters keep their CPU, interrupts and preemption being as they are; nobody has precedence. */
export class RwSpinLock implements SyncObject {
  readonly name: string
  readonly operations: Readonly<Record<string, Primitive<never>>> = RW as Readonly<Record<string, Primitive<never>>>
  /** Inside its operations, and for properties. */
  readonly state: Instance<RwState>
  readonly actors: readonly Actor[]

  constructor(m: Machine, name: string) {
    this.name = name
    this.state = m.struct(RwStruct, name)
    this.actors = m.actors
  }

  /** Spins until no writer is inside. */
  read(): Operation<void> {
    return new Operation(this, 'read')
  }

  /** Spins until nobody is inside. */
  write(): Operation<void> {
    return new Operation(this, 'write')
  }

  /** Gives a read or the write hold back. */
  release(): Operation<void> {
    return new Operation(this, 'release')
  }

  /** Whether nobody holds it; a ghost question, for properties. */
  get isFree(): boolean {
    return this.state.writer === null && this.state.readers === 0
  }
}
