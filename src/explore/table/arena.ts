/** The shared memory of a step table. */
export interface ArenaBuffers {
  /** Int32: nodes, reserved as a whole and committed by the system as they are used. */
  readonly words: SharedArrayBuffer
  /** Int32: words handed out. */
  readonly control: SharedArrayBuffer
}

/** The arena is full: the search ends as inconclusive for lack of memory. */
export class ArenaFullError extends Error {
  override readonly name = 'ArenaFullError'
}

/** Words that a thread takes from the arena at a time. */
const PORTION = 1 << 12

/** Most words of an arena; a node's number is positive, a leaf's negative. */
const CAPACITY = 1 << 29

/** Makes an arena whose first words, all zero, are the caller's. */
export function arenaBuffers(reserved: number): ArenaBuffers {
  const control = new SharedArrayBuffer(4)
  new Int32Array(control)[0] = reserved
  return { words: new SharedArrayBuffer(CAPACITY * 4), control }
}

/** Append-only shared memory in which threads publish nodes to each other by one compare-and-exchange. */
export class Arena {
  readonly words: Int32Array
  readonly #control: Int32Array
  #next = 0
  #end = 0

  constructor(buffers: ArenaBuffers) {
    this.words = new Int32Array(buffers.words)
    this.#control = new Int32Array(buffers.control)
  }

  /**
   * Takes zeroed words that only this thread uses until it publishes them; returns the first one's index.
   * @throws ArenaFullError
   */
  allocate(size: number): number {
    if (this.#next + size > this.#end) {
      const portion = Math.max(PORTION, size)
      this.#next = Atomics.add(this.#control, 0, portion)
      this.#end = this.#next + portion
      if (this.#end > this.words.length) {
        Atomics.sub(this.#control, 0, portion)
        this.#end = this.#next
        throw new ArenaFullError('the step table is full')
      }
    }
    const at = this.#next
    this.#next += size
    return at
  }

  /** Fills an empty slot, unless another thread did; returns what the slot holds then. */
  publish(slot: number, value: number): number {
    const before = Atomics.compareExchange(this.words, slot, 0, value)
    return before === 0 ? value : before
  }
}

/** Words of an arena that were handed out. */
export function arenaUse(buffers: ArenaBuffers): number {
  return Atomics.load(new Int32Array(buffers.control), 0)
}
