import { type Batch, type Added, PART, StoreFullError } from './batch.ts'
import type { Range, StoreBuffers } from './store-buffers.ts'
import { RecentStates } from './recent-states.ts'
import { hashState } from './state-hash.ts'
import { touch } from './touch.ts'

/** A run of taken slots this long means that the table has to grow before another insertion. */
const MAX_PROBES = 1 << 14
/** Share of the table that may be taken. */
const FULLEST = 0.75

/**
 * Distinct states of a fixed number of words, shared by all workers without locks: a worker writes a state into its
 * own log and then publishes it by one compare-and-exchange in the table. Comparison is always of whole states.
 * State numbers go up to 2^32 - 2: they are handled as unsigned, and -1 is none.
 */
export class StateStore {
  #words = 0
  #segmentBits = 0
  #segmentMask = 0
  #segments: Int32Array[] = []
  #table: Int32Array = new Int32Array(1)
  #numberMask = 0
  #usage: Int32Array = new Int32Array(1)
  /** No one's, so that no compiler leaves loads out that are made for the caches only. */
  readonly #sink = new Int32Array(1)
  /** Segment that this thread fills; -1: none yet. */
  #own = -1
  /** Positions in a batch of the states at hand. */
  readonly #positions = new Int32Array(PART)
  /** Of each of them: the slot it belongs to, the number found there, and whether that is the same state. */
  readonly #slots = new Int32Array(PART)
  readonly #numbers = new Int32Array(PART)
  readonly #same = new Uint8Array(PART)
  /** What the last insertion stored. */
  readonly added: Added = { count: 0, positions: new Int32Array(0), numbers: new Uint32Array(0) }
  #recent: RecentStates | null = null
  /** The last addition ended before its end, for lack of free slots. */
  #isCrowded = false

  /** Looks at the buffers as they are now; call whenever the coordinator may have changed them. */
  attach(buffers: StoreBuffers): void {
    const { segments, words, segmentBits } = buffers
    if (words !== this.#words || segments[0] !== this.#segments[0]?.buffer) this.#recent = null
    for (let i = 0; i < segments.length; i++) {
      const segment = segments[i] as SharedArrayBuffer
      if (this.#segments[i]?.buffer !== segment) this.#segments[i] = new Int32Array(segment)
    }
    if (this.#usage.buffer !== buffers.usage) this.#own = -1 // another store
    this.#segments.length = segments.length
    this.#words = words
    this.#segmentBits = segmentBits
    this.#segmentMask = (1 << segmentBits) - 1
    this.#table = new Int32Array(buffers.table)
    this.#numberMask = (2 ** buffers.numberBits - 1) | 0
    this.#usage = new Int32Array(buffers.usage)
  }

  /** 32-bit words of a state. */
  get words(): number {
    return this.#words
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

  /** Makes the store count states that are brought into its segments, by how many each holds. */
  restore(usage: readonly number[]): void {
    usage.forEach((states, segment) => (this.#usage[segment + 1] = states))
    this.#usage[0] = usage.length
    this.#own = -1
  }

  /** The states stored since `usage` was taken. */
  rangesSince(usage: Int32Array): Range[] {
    const ranges: Range[] = []
    for (let i = 0; i < this.#segments.length; i++) {
      const from = i * 2 ** this.#segmentBits + (usage[i] ?? 0)
      const to = i * 2 ** this.#segmentBits + (this.#usage[i + 1] as number)
      if (to > from) ranges.push({ from, to })
    }
    return ranges
  }

  /** The words of a state: a view into its segment. */
  at(index: number): Int32Array {
    const start = (index & this.#segmentMask) * this.#words
    return (this.#segments[index >>> this.#segmentBits] as Int32Array).subarray(start, start + this.#words)
  }

  /** Copies the words of a state to a place. */
  load(index: number, into: Int32Array, at: number): void {
    const segment = this.#segments[index >>> this.#segmentBits] as Int32Array
    const words = this.#words
    const start = (index & this.#segmentMask) * words
    for (let i = 0; i < words; i++) into[at + i] = segment[start + i] as number
  }

  /** Sets the words of a state that is not in the table. */
  save(index: number, from: Int32Array): void {
    const segment = this.#segments[index >>> this.#segmentBits] as Int32Array
    const words = this.#words
    const start = (index & this.#segmentMask) * words
    for (let i = 0; i < words; i++) segment[start + i] = from[i] as number
  }

  /** Whether the table is as full as it should get. */
  get isTight(): boolean {
    return this.size > this.capacity * FULLEST
  }

  /**
   * Stores the states of a batch that are not stored already, and tells in {@link added} which these are. Thrown at any
   * moment, StoreFullError leaves some stored: the batch may be inserted again.
   *
   * @throws StoreFullError
   */
  insertAll(batch: Batch): void {
    const { added } = this
    added.count = 0
    if (added.positions.length < batch.count)
      Object.assign(added, { positions: new Int32Array(batch.count), numbers: new Uint32Array(batch.count) })
    this.#recent ??= new RecentStates(this.#words)
    try {
      const part = Math.min(PART, 2 ** this.#segmentBits) // each into one segment
      for (let from = 0; from < batch.count; from += part)
        this.#insertPart(batch, this.#recent, from, Math.min(batch.count, from + part))
    } catch (error) {
      this.#recent.clear() // it took for stored what was not yet
      throw error
    }
  }

  #insertPart({ rows, hashes }: Batch, recent: RecentStates, from: number, to: number): void {
    this.#reserve(to - from)
    const fresh = recent.sift(rows, hashes, from, to, this.#positions)
    this.#locate(rows, hashes, fresh)
    const usage = this.#own + 1
    const before = this.#usage[usage] as number
    this.#usage[usage] = this.#add(rows, hashes, fresh, before)
    if (this.#isCrowded) throw new StoreFullError('the table is crowded')
  }

  /**
   * Adds the states that were not found to this thread's segment.
   *
   * @param count of the positions at hand
   * @param before states in the segment
   * @returns states in it now
   */
  #add(rows: Int32Array, hashes: Int32Array, count: number, before: number): number {
    const own = this.#segments[this.#own] as Int32Array
    const first = this.#own * 2 ** this.#segmentBits
    const table = this.#table
    const segments = this.#segments
    const words = this.#words
    const bits = this.#segmentBits
    const segmentMask = this.#segmentMask
    const mask = table.length - 1
    const numberMask = this.#numberMask
    const slots = this.#slots
    const same = this.#same
    const positions = this.#positions
    const { added } = this
    let used = before
    this.#isCrowded = false
    for (let i = 0; i < count; i++) {
      if (same[i] === 1) continue
      const position = positions[i] as number
      const hash = hashes[position] as number
      const row = position * words
      for (let k = 0, at = used * words; k < words; k++) own[at + k] = rows[row + k] as number
      let slot = slots[i] as number
      for (let probes = 0; ; slot = (slot + 1) & mask) {
        if (++probes > MAX_PROBES) {
          this.#isCrowded = true
          return used
        }
        let entry = table[slot] as number
        if (entry === 0) {
          entry = Atomics.compareExchange(table, slot, 0, (hash & ~numberMask) | (first + used + 1))
          if (entry === 0) {
            added.positions[added.count] = position
            added.numbers[added.count++] = first + used
            used++
            break
          }
        }
        if (((entry ^ hash) & ~numberMask) !== 0) continue
        const index = ((entry & numberMask) >>> 0) - 1
        const segment = segments[index >>> bits] as Int32Array
        const at = (index & segmentMask) * words
        let k = 0
        while (k < words && segment[at + k] === rows[row + k]) k++
        if (k === words) break
      }
    }
    return used
  }

  /**
   * For each state at the positions at hand the first slot that is free or whose tag is its own, and whether the state
   * named there is the same. First the entries are loaded for all of them and then the states they name, so that the memory's
   * latencies overlap: one after the other, each successor would wait for two cache misses.
   */
  #locate(rows: Int32Array, hashes: Int32Array, count: number): void {
    const table = this.#table
    const segments = this.#segments
    const words = this.#words
    const bits = this.#segmentBits
    const segmentMask = this.#segmentMask
    const mask = table.length - 1
    const numberMask = this.#numberMask
    const slots = this.#slots
    const numbers = this.#numbers
    const same = this.#same
    const positions = this.#positions
    for (let i = 0; i < count; i++) slots[i] = (hashes[positions[i] as number] as number) & mask
    this.#sink[0] = touch(table, slots, count, mask)
    for (let i = 0; i < count; i++) {
      const hash = hashes[positions[i] as number] as number
      let slot = slots[i] as number
      let entry = table[slot] as number
      for (let probes = 0; entry !== 0 && ((entry ^ hash) & ~numberMask) !== 0; entry = table[slot] as number) {
        if (++probes > MAX_PROBES) throw new StoreFullError('the table is crowded')
        slot = (slot + 1) & mask
      }
      slots[i] = slot
      numbers[i] = (entry & numberMask) - 1
    }
    let touched = 0
    for (let i = 0; i < count; i++) {
      const index = numbers[i] as number
      // of a free entry any state will do
      const near = index === -1 ? 0 : index
      touched |= (segments[near >>> bits] as Int32Array)[(near & segmentMask) * words] as number
    }
    this.#sink[0] = touched
    for (let i = 0; i < count; i++) {
      const index = numbers[i] as number
      same[i] = 0
      if (index === -1) continue
      const segment = segments[index >>> bits] as Int32Array
      const at = (index & segmentMask) * words
      const row = (positions[i] as number) * words
      let k = 0
      while (k < words && segment[at + k] === rows[row + k]) k++
      if (k === words) same[i] = 1
    }
  }

  /**
   * Stores one state unless it is stored already.
   * @throws StoreFullError
   */
  insert(state: Int32Array): void {
    this.insertAll({ rows: state, hashes: Int32Array.of(hashState(state, 0, this.#words)), count: 1 })
  }

  /** The number of a state, or -1 when it is not stored. */
  find(state: Int32Array): number {
    return this.#numberOf(state, 0, hashState(state, 0, this.#words))
  }

  /**
   * Finds the numbers of a batch's states, at most {@link PART}, overlapping latencies as {@link insertAll} does.
   * @returns a number by position, -1 for a state that is not stored; valid until the next call
   */
  findAll({ rows, hashes, count }: Batch): Int32Array {
    for (let i = 0; i < count; i++) this.#positions[i] = i
    this.#locate(rows, hashes, count)
    for (let i = 0; i < count; i++)
      if (this.#same[i] === 0) this.#numbers[i] = this.#numberOf(rows, i * this.#words, hashes[i] as number)
    return this.#numbers
  }

  #numberOf(rows: Int32Array, row: number, hash: number): number {
    const numberMask = this.#numberMask
    const mask = this.#table.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#table[slot] as number
      if (entry === 0) return -1
      const index = ((entry & numberMask) >>> 0) - 1
      if ((entry & ~numberMask) === (hash & ~numberMask) && this.#equals(index, rows, row)) return index
    }
  }

  /**
   * Enters states, at most {@link PART}, into the table without looking for equals: after the table was replaced.
   *
   * @param isAlone whether no other thread does so meanwhile
   */
  rehash({ from, to }: Range, isAlone: boolean): void {
    const table = this.#table
    const numberMask = this.#numberMask
    const mask = table.length - 1
    const words = this.#words
    const hashes = this.#numbers
    for (let index = from; index < to; index++) {
      hashes[index - from] = hashState(
        this.#segments[index >>> this.#segmentBits] as Int32Array,
        (index & this.#segmentMask) * words,
        words,
      )
    }
    this.#sink[0] = touch(table, hashes, to - from, mask)
    for (let index = from; index < to; index++) {
      const hash = hashes[index - from] as number
      const entry = (hash & ~numberMask) | (index + 1)
      let slot = hash & mask
      while (table[slot] !== 0) slot = (slot + 1) & mask
      if (isAlone) table[slot] = entry
      else while (Atomics.compareExchange(table, slot, 0, entry) !== 0) slot = (slot + 1) & mask
    }
  }

  /** Makes sure that this thread's segment has room for some states. */
  #reserve(count: number): void {
    if (this.#own >= 0 && (this.#usage[this.#own + 1] as number) + count <= 2 ** this.#segmentBits) return
    const next = Atomics.add(this.#usage, 0, 1)
    if (next >= this.#segments.length) {
      Atomics.sub(this.#usage, 0, 1)
      throw new StoreFullError('no free segment')
    }
    this.#own = next
  }

  #equals(index: number, rows: Int32Array, row: number): boolean {
    const words = this.#words
    const segment = this.#segments[index >>> this.#segmentBits] as Int32Array
    const start = (index & this.#segmentMask) * words
    for (let i = 0; i < words; i++) if (segment[start + i] !== rows[row + i]) return false
    return true
  }
}
