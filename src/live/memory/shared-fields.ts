import type { Roster } from './roster.ts'

/** An attempt met a field that another actor has locked: it has to be made again once that is free. */
export class Conflict extends Error {
  readonly field: number
  constructor(field: number) {
    super('locked')
    this.field = field
  }
}

/** In a lock word, beside the holder's number: another thread waits for it. */
const WAITED = 1 << 30

/**
 * The shared fields of a live machine: each has a value, a lock that operations take while they are running, and a mask
 * of the blocked actors that are to look again when it changes. All accesses are sequentially consistent, as in the
 * explorer.
 */
export class SharedFields {
  readonly values: Int32Array
  readonly #locks: Int32Array
  readonly #watchers: Int32Array
  readonly #roster: Roster
  readonly #me: number

  /** @param me the actor of this thread; -1 on the coordinating one, which may only read */
  constructor(buffer: SharedArrayBuffer, roster: Roster, me: number) {
    const count = buffer.byteLength / 12
    this.values = new Int32Array(buffer, 0, count)
    this.#locks = new Int32Array(buffer, count * 4, count)
    this.#watchers = new Int32Array(buffer, count * 8, count)
    this.#roster = roster
    this.#me = me + 1
  }

  /** The raw value of a field that no operation is running on. */
  read(id: number): number {
    while (Atomics.load(this.#locks, id) !== 0) this.awaitFree(id)
    return Atomics.load(this.values, id)
  }

  /** Writes a field by itself. */
  write(id: number, raw: number): void {
    while (!this.tryLock(id)) this.awaitFree(id)
    Atomics.store(this.values, id, raw)
    const watchers = this.takeWatchers(id)
    this.unlock(id)
    if (watchers !== 0) this.#roster.wake(watchers)
  }

  /** Locks a field, unless another thread has. */
  tryLock(id: number): boolean {
    return Atomics.compareExchange(this.#locks, id, 0, this.#me) === 0
  }

  /** Unlocks a field. */
  unlock(id: number): void {
    if ((Atomics.exchange(this.#locks, id, 0) & WAITED) !== 0) Atomics.notify(this.#locks, id)
  }

  /** Sleeps until a field may be free. The caller must have nothing locked. */
  awaitFree(id: number): void {
    const now = Atomics.load(this.#locks, id)
    if (now === 0) return
    if ((now & WAITED) === 0 && Atomics.compareExchange(this.#locks, id, now, now | WAITED) !== now) return
    Atomics.wait(this.#locks, id, now | WAITED)
    if (this.#roster.isEnding) this.#roster.pass()
  }

  /** A blocked actor is to be woken when the field, which it has locked, changes. */
  watch(id: number): void {
    this.#watchers[id] = (this.#watchers[id] as number) | (1 << (this.#me - 1))
  }

  /** Who is to be woken now that the field, which the caller has locked, changes. */
  takeWatchers(id: number): number {
    const mask = this.#watchers[id] as number
    if (mask !== 0) this.#watchers[id] = 0
    return mask
  }

  /** Before a round, while no one runs: the fields' initial values. */
  reset(initial: readonly number[]): void {
    this.values.fill(0)
    this.#locks.fill(0)
    this.#watchers.fill(0)
    initial.forEach((raw, id) => {
      this.values[id] = raw
    })
  }

  /** Wakes all threads that wait for a field whose holder has ended. */
  releaseAll(): void {
    for (let id = 0; id < this.#locks.length; id++) Atomics.notify(this.#locks, id)
  }
}
