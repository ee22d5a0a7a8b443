import type { Actor } from '../../model/actor.ts'
import { reserve } from '../state/reserve.ts'

/** Bits of a state in the hang check: bit a: actor a has finished or can still move; this one: rest can be reached. */
export const REST_BIT = 1 << 30
/** Nothing is missing, or nothing is to be claimed. */
export const ALL_BITS = 0x7fffffff

/** Of a state that is not expanded yet: the other bits are its sleep set (see `SleepSets`). */
export const UNEXPANDED = 1 << 31

/**
 * Bits of the actors of whom something is required forever: threads must be able to move again (a daemon that waits for
 * work may stand), handlers to come to their end.
 */
export function movingBits(actors: readonly Actor[]): number {
  return actors.reduce((mask, { id }) => mask | (1 << id), 0)
}

/** The bit of rest, where some actor must get there; else none. */
export function restBit(actors: readonly Actor[]): number {
  return actors.some((actor) => actor.mustFinish) ? REST_BIT : 0
}

/** Room for what is known of the states of one segment. */
export function newWordSegment(segmentBits: number): SharedArrayBuffer {
  return reserve(2 ** segmentBits * 4)
}

/** Bytes of a state's word. */
export const STATE_WORD_BYTES = 4

/**
 * The bits of every state: one Int32 a state, shared by all threads. Who stores a state may note its sleep set there; who
 * expands it notes what its own actors can do; sweeps after the search add what lies beyond.
 */
export class StateWords {
  #segments: Int32Array[] = []
  #bits = 0
  #mask = 0

  /** Looks at the buffers as they are now. */
  attach(buffers: readonly SharedArrayBuffer[], segmentBits: number): void {
    for (let i = 0; i < buffers.length; i++)
      if (this.#segments[i]?.buffer !== buffers[i]) this.#segments[i] = new Int32Array(buffers[i] as SharedArrayBuffer)
    this.#bits = segmentBits
    this.#mask = 2 ** segmentBits - 1
  }

  /** The bits of a state. */
  get(state: number): number {
    return (this.#segments[state >>> this.#bits] as Int32Array)[state & this.#mask] as number
  }

  /** Sets the bits of a state. */
  set(state: number, bits: number): void {
    ;(this.#segments[state >>> this.#bits] as Int32Array)[state & this.#mask] = bits
  }
}
