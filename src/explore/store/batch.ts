/** States that are looked up together: their slots and first words stay in the nearest cache. */
export const PART = 1024

/** States inserted together, one after another, with their hashes. */
export interface Batch {
  rows: Int32Array
  hashes: Int32Array
  /** How many states there are. */
  count: number
}

/** The states that an insertion of a batch has stored: they were not stored before. */
export interface Added {
  count: number
  /** Their positions in the batch, and their numbers; the first `count` of each count. */
  positions: Int32Array
  numbers: Uint32Array
}

/** An empty batch for states of some words. */
export function newBatch(words: number, states: number): Batch {
  return { rows: new Int32Array(states * words), hashes: new Int32Array(states), count: 0 }
}

/** Thrown when a worker needs another segment or a larger table; the level continues once the coordinator has made room. */
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError'
}
