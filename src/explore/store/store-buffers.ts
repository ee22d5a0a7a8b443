import { reserve } from '../state/reserve.ts'

/** Least bits of a table's entry that number a state. */
const LEAST_NUMBER_BITS = 26

/** Most segments of a store. */
export const MAX_SEGMENTS = 1 << 12

/** The shared memory of a store, as handed from thread to thread. */
export interface StoreBuffers {
  /** 32-bit words of a state. */
  readonly words: number
  /** Logs of states, one after another; a segment is filled by one worker. */
  readonly segments: readonly SharedArrayBuffer[]
  readonly segmentBits: number
  /** Open addressing, a power of two of 32-bit entries: some upper bits of the hash, below them state number + 1; 0 when free. */
  readonly table: SharedArrayBuffer
  /** Bits of a table entry that number a state; the others are a tag. */
  readonly numberBits: number
  /** Int32: segments taken, then states used of each segment. */
  readonly usage: SharedArrayBuffer
}

/** States numbered from `from` up to, not including, `to`. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** Bits that a table of some slots has for the numbers of states: never fewer than pick a slot, so that the tag is another part of the hash. */
export function numberBits(capacity: number): number {
  return Math.max(LEAST_NUMBER_BITS, Math.log2(capacity))
}

/** How many states ranges hold. */
export function rangesSize(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0)
}

/** Bytes that a store's buffers have in use. */
export function storeBytes({ words, table }: StoreBuffers, states: number): number {
  return states * words * 4 + table.byteLength
}

/** A segment for 2^`segmentBits` states of some words: reserved as a whole, committed by the system as it is used. */
export function newSegment(words: number, segmentBits: number): SharedArrayBuffer {
  return reserve(2 ** segmentBits * words * 4)
}
