import {
  type Actor,
  type Instance,
  type Machine,
  Operation,
  type Primitive,
  type SyncObject,
  actors,
  event,
  queueing,
  setOf,
  struct,
} from 'vmcheck'

const ChannelStruct = struct<{ sleepers: number }>('channel', { sleepers: event(queueing(setOf(actors))) })

const OPERATIONS: Readonly<Record<string, Primitive<WaitChannel>>> = {
  assertWait: {
    class: 'other',
    perform: (channel, actor) => channel.enlist(actor),
  },
  block: {
    class: 'acquire',
    enabled: (channel, actor) => !channel.has(actor),
    perform: () => undefined,
    wakers: (channel) => channel.wakers(),
    sleeps: true,
    yields: true,
  },
  wakeup: {
    class: 'other',
    perform: (channel) => channel.wakeAll(),
    detail: () => 'all',
  },
  wakeOne: {
    class: 'other',
    perform: (channel) => channel.wakeAny(),
  },
}

/**
 * An event that threads sleep on (Mach: assert_wait, thread_block, thread_wakeup). A thread declares its wait first
 * and sleeps later; a wakeup in between is not lost, one before the declaration is.
 *
 * @example
 * const page = m.struct(Page, 'page')
 * const lock = new Mutex(m, 'page.lock')
 * const ready = new WaitChannel(m, 'page.ready')
 * m.thread(function* waits() {
 *   yield* lock.acquire()
 *   const isReady = page.v === 1
 *   if (!isReady) yield* ready.assertWait() // while the lock is held: no wakeup can be lost
 *   yield* lock.release()
 *   if (!isReady) yield* ready.block()
 * })
 * m.thread(function* wakes() {
 *   yield* lock.acquire()
 *   page.v = 1
 *   yield* lock.release()
 *   yield* ready.wakeup()
 * })
 */
export class WaitChannel implements SyncObject {
  /** Its name, in traces and messages. */
  readonly name: string
  /** Its operations, by name. */
  readonly operations: Readonly<Record<string, Primitive<never>>> = OPERATIONS as Readonly<
    Record<string, Primitive<never>>
  >
  readonly #m: Machine
  readonly #state: Instance<{ sleepers: number }>
  readonly #wakers: () => readonly Actor[]

  /** @param wakers who will wake the sleepers as things are: tells reports whom a sleeper waits for */
  constructor(m: Machine, name: string, wakers: () => readonly Actor[] = () => []) {
    this.name = name
    this.#m = m
    this.#state = m.struct(ChannelStruct, name)
    this.#wakers = wakers
  }

  /** Declares that the caller is going to sleep. */
  assertWait(): Operation<void> {
    return new Operation(this, 'assertWait')
  }

  /** Sleeps until woken; continues at once when no wait was declared, or when it was woken since. */
  block(): Operation<void> {
    return new Operation(this, 'block')
  }

  /** Wakes all sleepers. */
  wakeup(): Operation<void> {
    return new Operation(this, 'wakeup')
  }

  /** Wakes one sleeper, any of them; does nothing without one. */
  wakeOne(): Operation<void> {
    return new Operation(this, 'wakeOne')
  }

  /** Inside an effect: declares that `actor` is going to sleep. */
  enlist(actor: Actor = this.#m.self): void {
    this.#state.sleepers |= 1 << actor.id
  }

  /** Inside an effect: wakes all sleepers. */
  wakeAll(): void {
    this.#state.sleepers = 0
  }

  /** Inside an effect: wakes one sleeper, which one is a choice of the search. */
  wakeAny(): void {
    const sleeping = this.#m.actors.filter((actor) => this.has(actor))
    if (sleeping.length > 0) this.#state.sleepers &= ~(1 << this.#m.pick(sleeping, `who is woken on ${this.name}`).id)
  }

  /** Inside an effect or property: whether `actor` sleeps, or is going to. */
  has(actor: Actor): boolean {
    return ((this.#state.sleepers >> actor.id) & 1) === 1
  }

  /** Inside an effect or property: whether an actor sleeps, or is going to. */
  get isEmpty(): boolean {
    return this.#state.sleepers === 0
  }

  /** The actors that could wake the sleepers in this state. */
  wakers(): readonly Actor[] {
    return this.#wakers()
  }
}
