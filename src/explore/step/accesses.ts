import { Interner, type InternerBuffers, internerBuffers } from '../state/interner.ts'
import type { LocalCapacity } from '../state/local-states.ts'
import type { StepRecord } from './step-record.ts'

/** The fields that a step or blocked attempt touches, guards, ghost reads and locks included, as sets of bits by field id. */
export interface ReadWriteSet {
  readonly reads: Int32Array
  readonly writes: Int32Array
}

/** Shared memory of the accesses of a search, for as many local states as there is room for. */
export function accessBuffers({ states, words }: LocalCapacity): InternerBuffers {
  return internerBuffers(Math.min(states, 1 << 18), Math.min(words, 1 << 24))
}

/** The different accesses met so far, numbered in order of discovery. */
export class Accesses {
  readonly #known: Interner
  readonly #decoded: ReadWriteSet[] = []
  /** 32-bit words of a set. */
  readonly words: number

  /** @param fields how many fields are told apart */
  constructor(buffers: InternerBuffers, fields: number) {
    this.#known = new Interner(buffers)
    this.words = Math.ceil(fields / 32)
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#known.bytes
  }

  /** The number of what a record touches. */
  intern({ dependences, writes }: StepRecord): number {
    const read = dependences.flatMap((dependence) => (dependence.on === 'field' ? [dependence.field.id] : []))
    return this.#number(read, [...writes.keys()])
  }

  /** What has a number. */
  get(id: number): ReadWriteSet {
    return (this.#decoded[id] ??= this.#decode(id))
  }

  /** The number of what something becomes when fields are renamed. */
  rename(id: number, field: (id: number) => number): number {
    const { reads, writes } = this.get(id)
    return this.#number(members(reads).map(field), members(writes).map(field))
  }

  #number(reads: readonly number[], writes: readonly number[]): number {
    const blob = new Int32Array(2 * this.words)
    for (const id of reads) blob[id >> 5] = (blob[id >> 5] as number) | (1 << (id & 31))
    for (const id of writes) blob[this.words + (id >> 5)] = (blob[this.words + (id >> 5)] as number) | (1 << (id & 31))
    return this.#known.intern(blob)
  }

  #decode(id: number): ReadWriteSet {
    const blob = this.#known.blob(id)
    return { reads: blob.slice(0, this.words), writes: blob.slice(this.words) }
  }
}

/** The members of a set of bits. */
export function members(set: Int32Array): number[] {
  const found: number[] = []
  set.forEach((word, i) => {
    for (let left = word; left !== 0; left &= left - 1) found.push(i * 32 + 31 - Math.clz32(left & -left))
  })
  return found
}

/** Whether two sets of bits have a member in common. */
export function meet(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < a.length; i++) if (((a[i] as number) & (b[i] as number)) !== 0) return true
  return false
}

/** Whether the order of what two touch may matter: one writes what the other touches. */
export function conflict(a: ReadWriteSet, b: ReadWriteSet): boolean {
  return meet(a.writes, b.writes) || meet(a.writes, b.reads) || meet(a.reads, b.writes)
}

/** Adds what one touches to what another does; whether that was more. */
export function addTo(a: ReadWriteSet, b: ReadWriteSet): boolean {
  const reads = unite(a.reads, b.reads)
  return unite(a.writes, b.writes) || reads
}

function unite(a: Int32Array, b: Int32Array): boolean {
  let isMore = false
  for (let i = 0; i < a.length; i++) {
    const both = (a[i] as number) | (b[i] as number)
    if (both === a[i]) continue
    a[i] = both
    isMore = true
  }
  return isMore
}
