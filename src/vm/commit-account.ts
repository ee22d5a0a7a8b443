import { type Instance, type Machine, struct, u } from 'vmcheck'

interface Units {
  /** Allocated frames. */
  used: number
  /** Promised, not yet allocated. */
  committed: number
  /** Free, and promised to no one. */
  uncommitted: number
}

const UnitsStruct = struct<Units>('units', { used: u(6), committed: u(6), uncommitted: u(6) })

/**
 * The books of physical memory: every page is used, committed or uncommitted (SerenityOS: MemoryManager's global
 * data). Its methods belong in atomic sections: they stand for code under the lock of these data.
 *
 * @example
 * const account = new CommitAccount(m, { used: 1, uncommitted: 2 })
 * m.thread(function* commits() {
 *   yield* atomically(() => account.commit(1))
 *   yield* atomically(() => account.useCommitted())
 * })
 */
export class CommitAccount {
  readonly #m: Machine
  readonly #units: Instance<Units>

  /** @param units pages used at first, and pages left */
  constructor(m: Machine, units: { readonly used: number; readonly uncommitted: number; readonly committed?: number }) {
    this.#m = m
    this.#units = m.struct(UnitsStruct, 'memory', units)
  }

  /** Promises `n` pages; false when there are not so many. */
  commit(n: number): boolean {
    if (this.#units.uncommitted < n) return false
    this.#units.uncommitted -= n
    this.#units.committed += n
    return true
  }

  /** Takes a promise of `n` pages back. */
  uncommit(n: number): void {
    this.#m.assert(() => this.#units.committed >= n, 'only committed pages are uncommitted')
    this.#units.committed -= n
    this.#units.uncommitted += n
  }

  /** A committed page becomes a used one. */
  useCommitted(): void {
    this.#m.assert(() => this.#units.committed > 0, 'a page taken from a commitment was committed')
    this.#units.committed -= 1
    this.#units.used += 1
  }

  /** An uncommitted page becomes a used one; false when there is none. */
  useUncommitted(): boolean {
    if (this.#units.uncommitted === 0) return false
    this.#units.uncommitted -= 1
    this.#units.used += 1
    return true
  }

  /** A used page is free again, and uncommitted. */
  free(): void {
    this.#units.used -= 1
    this.#units.uncommitted += 1
  }

  /** For properties. */
  get used(): number {
    return this.#units.used
  }

  /** For properties. */
  get committed(): number {
    return this.#units.committed
  }

  /** For properties. */
  get uncommitted(): number {
    return this.#units.uncommitted
  }
}
