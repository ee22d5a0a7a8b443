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
  queueing,
  ref,
  struct,
} from 'vmcheck'
import { checkNumber } from './options.ts'

interface Place {
  actor: Actor | null
}

const OwnerStruct = struct<{ owner: Actor | null }>('handoff', { owner: event(holding(ref(actors))) })
const PlaceStruct = struct<Place>('place', { actor: event(queueing(ref(actors))) })

const OPERATIONS: Readonly<Record<string, Primitive<HandoffLock>>> = {
  enqueue: {
    class: 'other',
    perform: (lock, actor) => lock.join(actor),
    detail: () => 'owner, or last in the queue',
  },
  acquire: {
    class: 'acquire',
    enabled: (lock, actor) => lock.isServed(actor),
    perform: () => undefined,
    holders: (lock, actor) => lock.ahead(actor),
    yields: true,
  },
  release: {
    class: 'other',
    perform: (lock, actor) => {
      if (lock.owner !== actor)
        throw new Error(
          `${actor.name} releases ${lock.name}, which ${lock.owner ? `${lock.owner.name} holds` : 'no actor holds'}`,
        )
      lock.leave()
    },
    frees: () => true,
  },
}

/**
 * A sleeping lock that its owner hands to the first waiter: no other actor can take it in between. Guards and effects may look at its owner.
 *
 * @example
 * const lock = new HandoffLock(m, 'map.lock', 2)
 * m.cpus(2, () => function* taker() {
 *   yield* lock.acquire()
 *   yield* lock.release()
 * })
 */
export class HandoffLock implements SyncObject {
  /** Its name, in traces and messages. */
  readonly name: string
  /** Its operations, by name. */
  readonly operations: Readonly<Record<string, Primitive<never>>> = OPERATIONS as Readonly<
    Record<string, Primitive<never>>
  >
  readonly #owner: Instance<{ owner: Actor | null }>
  /** Those who wait, in order. */
  readonly #queue: readonly Instance<Place>[]

  /** @param threads how many threads may hold it or wait for it at once */
  constructor(m: Machine, name: string, threads: number) {
    checkNumber(`threads of ${name}, which says how many may want it,`, threads, 1, 30)
    this.name = name
    this.#owner = m.struct(OwnerStruct, name)
    this.#queue = m.array(PlaceStruct, threads - 1, `${name}.queue`)
  }

  /** Joins the queue, and sleeps until the lock is handed over. */
  *acquire(): Program {
    yield* new Operation<void>(this, 'enqueue')
    yield* new Operation<void>(this, 'acquire')
  }

  /** Hands the lock to the first waiter, if there is one. Throws, in the program, when another actor holds it. */
  release(): Operation<void> {
    return new Operation(this, 'release')
  }

  /** The actor that holds it: for properties. */
  get owner(): Actor | null {
    return this.#owner.owner
  }

  /** Inside its operations: whether `actor` owns the lock and no longer waits; false if the owner tries to acquire it again, so that it blocks forever. */
  isServed(actor: Actor): boolean {
    return this.owner === actor && this.#queue.every((place) => place.actor !== actor)
  }

  /** Inside its operations: who comes before `actor`'s last place. */
  ahead(actor: Actor): Actor[] {
    const all = [this.owner, ...this.#queue.map((place) => place.actor)]
    return all.slice(0, all.lastIndexOf(actor)).filter((other) => other !== null)
  }

  /** Inside its operations: `actor` becomes owner or last in the queue. */
  join(actor: Actor): void {
    if (this.owner === null) {
      this.#owner.owner = actor
      return
    }
    const place = this.#queue.find((at) => at.actor === null)
    if (!place) throw new Error(`${this.name} has too few places in its queue for this model`)
    place.actor = actor
  }

  /** Inside its operations: all waiters move up. */
  leave(): void {
    this.#owner.owner = this.#queue[0]?.actor ?? null
    this.#queue.forEach((place, i) => {
      place.actor = this.#queue[i + 1]?.actor ?? null
    })
  }
}
