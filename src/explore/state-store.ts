/** States a segment holds. */
export const SEGMENT_STATES = 1 << 14
/** Most segments: an entry of the table has 27 bits for a state's number. */
export const MAX_SEGMENTS = 1 << 13

/** A run of taken slots this long means that the table has to grow before another insertion. */
const MOST_PROBES = 4096

const INDEX_BITS = 27
const INDEX_MASK = (1 << INDEX_BITS) - 1

/** The shared memory of a store, as handed from thread to thread. */
export interface StoreBuffers {
  /** Logs of states, one after another; a segment is filled by one worker. */
  readonly segments: readonly SharedArrayBuffer[]
  /** Open addressing; 32-bit entries of tag (5 bits of the hash) and state number + 1 (27 bits), 0 when free. */
  readonly table: SharedArrayBuffer
  /** Int32: segments taken, then states used of each segment. */
  readonly usage: SharedArrayBuffer
}

/** Thrown when a worker needs another segment; the level goes on once the coordinator has added some. */
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError'
}

/** States numbered from `from` up to, not including, `to`. */
export interface Range {
  readonly from: number
  readonly to: number
}

/**
 * Distinct states of a fixed number of words, shared by all workers without locks: a worker writes a state into its
 * own log and then publishes it by one compare-and-exchange in the table. Comparison is always of whole states.
 */
export class StateStore {
  readonly words: number
  #segments: Int32Array[] = []
  #table: Int32Array = new Int32Array(0)
  #usage: Int32Array = new Int32Array(0)
  /** Segment that this thread fills; -1: none yet. */
  #own = -1
  /** Whether the last insertion found the state to be new. */
  inserted = false

  constructor(words: number) {
    this.words = words
  }

  /** Looks at the buffers as they are now; call whenever the coordinator may have changed them. */
  attach(buffers: StoreBuffers): void {
    for (let i = this.#segments.length; i < buffers.segments.length; i++) this.#segments.push(new Int32Array(buffers.segments[i] as SharedArrayBuffer))
    this.#table = new Int32Array(buffers.table)
    this.#usage = new Int32Array(buffers.usage)
  }

  /** Slots of the table. */
  get capacity(): number {
    return this.#table.length
  }

  /** States stored in all, counted segment by segment. */
  get size(): number {
    let size = 0
    for (let i = 1; i <= this.#segments.length; i++) size += this.#usage[i] as number
    return size
  }

  /** States used of each segment now, to be given to {@link rangesSince}. */
  usage(): Int32Array {
    return this.#usage.slice(1, this.#segments.length + 1)
  }

  /** The states stored since `usage` was taken. */
  rangesSince(usage: Int32Array): Range[] {
    const ranges: Range[] = []
    for (let i = 0; i < this.#segments.length; i++) {
      const from = i * SEGMENT_STATES + (usage[i] ?? 0)
      const to = i * SEGMENT_STATES + (this.#usage[i + 1] as number)
      if (to > from) ranges.push({ from, to })
    }
    return ranges
  }

  /** The words of a state: a view into its segment. */
  at(index: number): Int32Array {
    const start = (index % SEGMENT_STATES) * this.words
    return (this.#segments[(index / SEGMENT_STATES) | 0] as Int32Array).subarray(start, start + this.words)
  }

  /**
   * Stores a state unless it is stored already; returns its number and sets {@link inserted}.
   * @throws StoreFullError
   */
  insert(state: Int32Array): number {
    const hash = hashState(state)
    const tag = hash & ~INDEX_MASK
    const mask = this.#table.length - 1
    let mine = -1
    let probes = 0
    for (let slot = Math.imul(hash, 0x9e3779b1) & mask; ; slot = (slot + 1) & mask) {
      if (++probes > MOST_PROBES) throw new StoreFullError('the table is crowded')
      let entry = this.#table[slot] as number
      if (entry === 0) {
        if (mine < 0) mine = this.#append(state)
        entry = Atomics.compareExchange(this.#table, slot, 0, tag | (mine + 1))
        if (entry === 0) {
          this.#commit()
          this.inserted = true
          return mine
        }
      }
      if ((entry & ~INDEX_MASK) !== tag) continue
      const index = (entry & INDEX_MASK) - 1
      if (this.#equals(index, state)) {
        this.inserted = false
        return index
      }
    }
  }

  /** The number of a state, or -1 when it is not stored. */
  find(state: Int32Array): number {
    const hash = hashState(state)
    const tag = hash & ~INDEX_MASK
    const mask = this.#table.length - 1
    for (let slot = Math.imul(hash, 0x9e3779b1) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#table[slot] as number
      if (entry === 0) return -1
      const index = (entry & INDEX_MASK) - 1
      if ((entry & ~INDEX_MASK) === tag && this.#equals(index, state)) return index
    }
  }

  /** Enters the states of one segment into the table without looking for equals: after the table was replaced. */
  rehash(segment: number): void {
    const mask = this.#table.length - 1
    const used = this.#usage[segment + 1] as number
    for (let i = 0; i < used; i++) {
      const index = segment * SEGMENT_STATES + i
      const hash = hashState(this.at(index))
      const entry = (hash & ~INDEX_MASK) | (index + 1)
      let slot = Math.imul(hash, 0x9e3779b1) & mask
      while (Atomics.compareExchange(this.#table, slot, 0, entry) !== 0) slot = (slot + 1) & mask
    }
  }

  /** Writes a state into the next free place of this thread's segment, without counting it yet. */
  #append(state: Int32Array): number {
    if (this.#own < 0 || this.#usage[this.#own + 1] === SEGMENT_STATES) {
      const next = Atomics.add(this.#usage, 0, 1)
      if (next >= this.#segments.length) {
        Atomics.sub(this.#usage, 0, 1)
        throw new StoreFullError('no free segment')
      }
      this.#own = next
    }
    const offset = this.#usage[this.#own + 1] as number
    ;(this.#segments[this.#own] as Int32Array).set(state, offset * this.words)
    return this.#own * SEGMENT_STATES + offset
  }

  #commit(): void {
    this.#usage[this.#own + 1] = (this.#usage[this.#own + 1] as number) + 1
  }

  #equals(index: number, state: Int32Array): boolean {
    const segment = this.#segments[(index / SEGMENT_STATES) | 0] as Int32Array
    const start = (index % SEGMENT_STATES) * this.words
    for (let i = 0; i < state.length; i++) if (segment[start + i] !== state[i]) return false
    return true
  }
}

/** A 32-bit hash of a state's words. */
export function hashState(state: Int32Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < state.length; i++) {
    hash = Math.imul(hash ^ (state[i] as number), 0x85ebca6b)
    hash = (hash << 13) | (hash >>> 19)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35)
  return hash ^ (hash >>> 13)
}

/** How many states ranges hold. */
export function rangesSize(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0)
}

/** Bytes that a store's buffers hold. */
export function storeBytes(buffers: StoreBuffers): number {
  return buffers.segments.reduce((sum, segment) => sum + segment.byteLength, 0) + buffers.table.byteLength
}

/** A segment for states of the given number of words. */
export function newSegment(words: number): SharedArrayBuffer {
  return new SharedArrayBuffer(SEGMENT_STATES * words * 4)
}
