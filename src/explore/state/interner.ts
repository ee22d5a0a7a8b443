import { reserve } from './reserve.ts'

/** Shared memory of an interner; it is committed by the system as it is touched. */
export interface InternerBuffers {
  /** Int32: lock, number of blobs, words used. */
  readonly control: SharedArrayBuffer
  /** How many different blobs there may be, a power of two. */
  readonly capacity: number
  /** How many words there may be of all blobs together. */
  readonly words: number
  /** Int32: a table of `2 * capacity` slots, open addressing: id + 1, or 0; `capacity + 1` first words of blobs, the next one's ends each; the words. */
  readonly memory: SharedArrayBuffer
}

const LOCK = 0
const COUNT = 1
const USED = 2

/** The interner's buffers are full: the search ends as inconclusive for lack of memory. */
export class InternerFullError extends Error {
  override readonly name = 'InternerFullError'
}

/**
 * Makes the buffers of an interner.
 *
 * @param capacity how many different blobs, a power of two
 * @param words 32-bit words of all blobs together
 */
export function internerBuffers(capacity: number, words: number): InternerBuffers {
  return {
    control: new SharedArrayBuffer(12),
    capacity,
    words,
    memory: reserve((capacity * 3 + 1 + words) * 4),
  }
}

/**
 * Gives equal blobs of words equal small numbers, across all threads that share its buffers. Look-ups take no lock;
 * insertions, which are rare, take one. Numbers follow the order of insertion and so differ between runs.
 */
export class Interner {
  readonly #control: Int32Array
  readonly #table: Int32Array
  readonly #starts: Int32Array
  readonly #words: Int32Array

  constructor({ control, capacity, words, memory }: InternerBuffers) {
    this.#control = new Int32Array(control)
    this.#table = new Int32Array(memory, 0, capacity * 2)
    this.#starts = new Int32Array(memory, capacity * 2 * 4, capacity + 1)
    this.#words = new Int32Array(memory, (capacity * 3 + 1) * 4, words)
  }

  /** How many blobs there are. */
  get size(): number {
    return Atomics.load(this.#control, COUNT)
  }

  /** Bytes in use. */
  get bytes(): number {
    return Atomics.load(this.#control, USED) * 4 + this.size * 12
  }

  /** The blob of a number. */
  blob(id: number): Int32Array {
    return this.#words.subarray(this.#starts[id] as number, this.#starts[id + 1] as number)
  }

  /**
   * The number of a blob, which is added when it is new.
   * @throws InternerFullError
   */
  intern(blob: ArrayLike<number>): number {
    const hash = hashOf(blob)
    const found = this.#find(blob, hash)
    if (found >= 0) return found
    this.#lock()
    try {
      const again = this.#find(blob, hash)
      return again >= 0 ? again : this.#add(blob, hash)
    } finally {
      Atomics.store(this.#control, LOCK, 0)
      Atomics.notify(this.#control, LOCK, 1)
    }
  }

  #find(blob: ArrayLike<number>, hash: number): number {
    const mask = this.#table.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = Atomics.load(this.#table, slot)
      if (entry === 0) return -1
      if (this.#equals(entry - 1, blob)) return entry - 1
    }
  }

  #equals(id: number, blob: ArrayLike<number>): boolean {
    const start = this.#starts[id] as number
    if ((this.#starts[id + 1] as number) - start !== blob.length) return false
    for (let i = 0; i < blob.length; i++) if (this.#words[start + i] !== ((blob[i] as number) | 0)) return false // kept as 32 bits with a sign
    return true
  }

  #add(blob: ArrayLike<number>, hash: number): number {
    const id = this.#control[COUNT] as number
    const start = this.#control[USED] as number
    if (id + 2 > this.#starts.length || start + blob.length > this.#words.length)
      throw new InternerFullError('too many different local states')
    for (let i = 0; i < blob.length; i++) this.#words[start + i] = blob[i] as number
    this.#starts[id] = start
    this.#starts[id + 1] = start + blob.length
    this.#control[USED] = start + blob.length
    const mask = this.#table.length - 1
    let slot = hash & mask
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask
    Atomics.store(this.#control, COUNT, id + 1)
    Atomics.store(this.#table, slot, id + 1)
    return id
  }

  #lock(): void {
    while (Atomics.compareExchange(this.#control, LOCK, 0, 1) !== 0) Atomics.wait(this.#control, LOCK, 1, 100)
  }
}

function hashOf(blob: ArrayLike<number>): number {
  let hash = blob.length
  for (let i = 0; i < blob.length; i++) {
    hash = Math.imul(hash ^ (blob[i] as number), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash >>> 0
}
