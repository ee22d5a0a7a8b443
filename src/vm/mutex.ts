import {
  type Actor,
  type Instance,
  type Machine,
  Operation,
  type Primitive,
  type StructType,
  type SyncObject,
  actors,
  event,
  holding,
  internal,
  ref,
  struct,
} from 'vmcheck'
import { checkOptions } from './options.ts'

interface State {
  owner: Actor | null
}

function states(spins: boolean): { readonly plain: StructType<State>; readonly tryable: StructType<State> } {
  const owner = holding(ref(actors), { spins })
  return {
    plain: struct<State>('mutex', { owner: internal(owner) }),
    tryable: struct<State>('mutex', { owner: event(owner) }),
  }
}

function mustOwn(lock: Mutex, actor: Actor): void {
  if (lock.owner !== actor)
    throw new Error(
      `${actor.name} releases ${lock.name}, which ${lock.owner ? `${lock.owner.name} holds` : 'no actor holds'}`,
    )
}

function operations(tryable: boolean, yields: boolean): Readonly<Record<string, Primitive<Mutex>>> {
  return {
    acquire: {
      class: tryable ? 'other' : 'acquire',
      enabled: (lock) => lock.owner === null,
      perform: (lock, actor) => lock.take(actor),
      holders: (lock) => (lock.owner ? [lock.owner] : []),
      yields,
    },
    release: {
      class: tryable ? 'other' : 'release',
      perform: (lock, actor) => {
        mustOwn(lock, actor)
        lock.take(null)
      },
      frees: () => true,
    },
    tryAcquire: {
      class: 'other',
      perform: (lock, actor) => {
        if (lock.owner !== null) return false
        lock.take(actor)
        return true
      },
      detail: () => 'without waiting',
    },
  }
}

const SLEEPING = {
  operations: { plain: operations(false, true), tryable: operations(true, true) },
  states: states(false),
}
const SPINNING = {
  operations: { plain: operations(false, false), tryable: operations(true, false) },
  states: states(true),
}

/** The options of a mutex. */
export interface MutexOptions {
  /** Whether it is ever tried, or looked at by guards. */
  readonly tryable?: boolean
  /** Whether a waiter sleeps, and leaves a CPU that it shares to others, or spins. Default `sleep`. */
  readonly waiting?: 'sleep' | 'spin'
}

/**
 * A lock with one owner, which alone may release it. Whether it is ever tried is fixed when it is made: "held" can
 * be observed then, and its operations are atomic steps of their own.
 *
 * @example
 * const page = m.struct(Page, 'page')
 * const lock = new Mutex(m, 'page.lock')
 * m.cpus(2, () => function* count() {
 *   yield* lock.acquire()
 *   page.v += 1
 *   yield* lock.release()
 * })
 */
export class Mutex implements SyncObject {
  /** Its name, in traces and messages. */
  readonly name: string
  /** Its operations, by name. */
  readonly operations: Readonly<Record<string, Primitive<never>>>
  readonly #state: Instance<State>
  readonly #tryable: boolean

  constructor(m: Machine, name: string, options: MutexOptions = {}) {
    checkOptions(`mutex ${name}`, options, ['tryable', 'waiting'])
    this.name = name
    this.#tryable = options.tryable ?? false
    const { operations, states } = options.waiting === 'spin' ? SPINNING : SLEEPING
    const form = this.#tryable ? 'tryable' : 'plain'
    this.operations = operations[form] as Readonly<Record<string, Primitive<never>>>
    this.#state = m.struct(states[form], name)
  }

  /** The actor that holds it: for properties, and for guards of a tryable lock. */
  get owner(): Actor | null {
    return this.#state.owner
  }

  /** Waits until the lock is free, and takes it. */
  acquire(): Operation<void> {
    return new Operation(this, 'acquire')
  }

  /** Gives the lock back. Throws, in the program, when another actor holds it. */
  release(): Operation<void> {
    return new Operation(this, 'release')
  }

  /**
   * Takes the lock if it is free; whether it did.
   * @throws Error unless the lock was made `tryable`
   */
  tryAcquire(): Operation<boolean> {
    if (!this.#tryable)
      throw new Error(`${this.name} is tried but was not made so: new Mutex(m, name, { tryable: true })`)
    return new Operation(this, 'tryAcquire')
  }

  /** Inside its operations: sets the owner. */
  take(actor: Actor | null): void {
    this.#state.owner = actor
  }
}
