import type { Roster } from './roster.ts'
import { Conflict, type SharedFields } from './shared-fields.ts'

/**
 * One attempt at an operation: every field that it touches is locked as it is touched, what it writes is kept back, and
 * on {@link commit} it has all happened at once. Whoever meets a locked field gives up what it has locked and tries
 * again, so nobody waits while holding anything.
 */
export class Transaction {
  readonly #fields: SharedFields
  readonly #roster: Roster
  readonly #locked: number[] = []
  readonly #isLocked: Uint8Array
  readonly #written: number[] = []
  readonly #isWritten: Uint8Array
  readonly #pending: Int32Array
  #conflict: Conflict | null = null

  constructor(fields: SharedFields, roster: Roster) {
    const count = fields.values.length
    this.#fields = fields
    this.#roster = roster
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
    if (this.#isWritten[id] === 0) this.#written.push(id)
    this.#isWritten[id] = 1
    this.#pending[id] = raw
  }

  /** @throws Conflict met before, should code of the model have caught it */
  validate(): void {
    if (this.#conflict) throw this.#conflict
  }

  /** All that was written takes effect. @throws Conflict as {@link validate} */
  commit(): void {
    this.validate()
    let watchers = 0
    for (const id of this.#written) {
      Atomics.store(this.#fields.values, id, this.#pending[id] as number)
      watchers |= this.#fields.takeWatchers(id)
    }
    this.abort()
    if (watchers !== 0) this.#roster.wake(watchers)
  }

  /** The actor is blocked: it is to be woken when something changes that the attempt has read. */
  watch(): void {
    this.validate()
    for (const id of this.#locked) this.#fields.watch(id)
    this.#roster.block()
    this.abort()
  }

  /** Gives up what is locked, and forgets what was written. */
  abort(): void {
    for (const id of this.#written) this.#isWritten[id] = 0
    for (const id of this.#locked) {
      this.#isLocked[id] = 0
      this.#fields.unlock(id)
    }
    this.#written.length = 0
    this.#locked.length = 0
    this.#conflict = null
  }

  #lock(id: number): void {
    this.validate()
    if (!this.#fields.tryLock(id)) {
      this.#conflict = new Conflict(id)
      throw this.#conflict
    }
    this.#isLocked[id] = 1
    this.#locked.push(id)
  }
}
