import type { Roster } from './roster.ts'
import { Conflict, type SharedFields } from './shared-fields.ts'

/**
 * One attempt at an operation: every field that it touches is locked as it is touched, what it writes is kept back, and
 * on {@link commit} it has all happened at once. Whoever meets a locked field gives up what it has locked and tries
 * again, so no one waits while holding anything.
 */
export class Transaction {
  readonly #fields: SharedFields
  readonly #roster: Roster
  /** Fields locked, and how many. */
  readonly #locked: Int32Array
  #locks = 0
  readonly #isLocked: Uint8Array
  /** Fields written, and how many. */
  readonly #written: Int32Array
  #writes = 0
  readonly #isWritten: Uint8Array
  readonly #pending: Int32Array
  /** Why the attempt has to be made again; code of the model that catches it gets no further. */
  #interruption: Error | null = null

  constructor(fields: SharedFields, roster: Roster) {
    const count = fields.values.length
    this.#fields = fields
    this.#roster = roster
    this.#locked = new Int32Array(count)
    this.#written = new Int32Array(count)
    this.#isLocked = new Uint8Array(count)
    this.#isWritten = new Uint8Array(count)
    this.#pending = new Int32Array(count)
  }

  /** @throws Conflict */
  read(id: number): number {
    if (this.#isLocked[id] === 0) this.#lock(id)
    return (this.#isWritten[id] === 1 ? this.#pending[id] : this.#fields.values[id]) as number
  }

  /** @throws Conflict */
  write(id: number, raw: number): void {
    if (this.#isLocked[id] === 0) this.#lock(id)
    if (this.#isWritten[id] === 0) this.#written[this.#writes++] = id
    this.#isWritten[id] = 1
    this.#pending[id] = raw
  }

  /** Why the attempt has to be made again, or null. */
  get interruption(): Error | null {
    return this.#interruption
  }

  /** The attempt has to be made again. */
  interrupt(reason: Error): never {
    this.#interruption ??= reason
    throw this.#interruption
  }

  /** @throws what interrupted the attempt before, should code of the model have caught it */
  validate(): void {
    if (this.#interruption) throw this.#interruption
  }

  /** All that was written takes effect. @throws Conflict as {@link validate} */
  commit(): void {
    this.validate()
    let watchers = 0
    for (let i = 0; i < this.#writes; i++) {
      const id = this.#written[i] as number
      Atomics.store(this.#fields.values, id, this.#pending[id] as number)
      watchers |= this.#fields.takeWatchers(id)
    }
    this.abort()
    if (watchers !== 0) this.#roster.wake(watchers)
  }

  /** Runs `body` as an attempt of its own, as often as it takes. */
  run<T>(body: () => T): T {
    for (;;) {
      try {
        const result = body()
        this.commit()
        return result
      } catch (error) {
        this.abort()
        if (!(error instanceof Conflict)) throw error
        this.#fields.awaitFree(error.field)
      }
    }
  }

  /** The actor is blocked: it is to be woken when something changes that the attempt has read. */
  watch(): void {
    this.validate()
    for (let i = 0; i < this.#locks; i++) this.#fields.watch(this.#locked[i] as number)
    this.#roster.block()
    this.abort()
  }

  /** Gives up what is locked, and forgets what was written. */
  abort(): void {
    for (let i = 0; i < this.#writes; i++) this.#isWritten[this.#written[i] as number] = 0
    for (let i = 0; i < this.#locks; i++) {
      const id = this.#locked[i] as number
      this.#isLocked[id] = 0
      this.#fields.unlock(id)
    }
    this.#writes = 0
    this.#locks = 0
    this.#interruption = null
  }

  #lock(id: number): void {
    this.validate()
    if (!this.#fields.tryLock(id)) this.interrupt(new Conflict(id))
    this.#isLocked[id] = 1
    this.#locked[this.#locks++] = id
  }
}
