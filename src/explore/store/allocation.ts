import { setImmediate } from 'node:timers/promises'
import { type Layout, packingOf } from '../state/layout.ts'
import type { LocalStates } from '../state/local-states.ts'
import { newWordSegment } from './state-words.ts'
import { type StateStore } from './state-store.ts'
import { MAX_SEGMENTS, type StoreBuffers, newSegment, numberBits } from './store-buffers.ts'
import type { Tuning } from './tuning.ts'

/** Where states are kept at one time of a search, and how they are packed. */
export interface StateMemory extends StoreBuffers {
  readonly widths: readonly number[]
  /** For the hang check and for sleep sets, segment by segment; empty when there are none. */
  readonly stateWords: readonly SharedArrayBuffer[]
}

/** Bytes that the system commits at a time, or less. */
const PAGE = 4096
/** Share of the table that may be taken when a level begins. */
const ROOMY = 0.4
/** Slots of a table from which on it is doubled, not quadrupled: entering all states again costs less than room then. */
const LARGE_TABLE = 1 << 22

/** The memory that a search starts with: a segment for each worker and one to spare. */
export function firstMemory(
  { packing: { words, widths } }: LocalStates,
  { segmentBits, firstCapacity }: Tuning,
  workers: number,
  hasStateWords: boolean,
): StateMemory {
  const segments = Array.from({ length: workers + 1 }, () => newSegment(words, segmentBits))
  return {
    words,
    widths,
    segments,
    stateWords: hasStateWords ? segments.map(() => newWordSegment(segmentBits)) : [],
    segmentBits,
    table: newTable(firstCapacity),
    numberBits: numberBits(firstCapacity),
    usage: new SharedArrayBuffer((MAX_SEGMENTS + 1) * 4),
  }
}

/** What a search needs more than it has. */
export interface Need {
  /** Segments to be added. */
  readonly segments: number
  /** Slots of the table. */
  readonly capacity: number
  /** Bits of the actors' local states. */
  readonly widths: readonly number[]
  /** Whether the table is to be replaced by a larger one. */
  readonly isTight: boolean
  /** Whether states are to be packed again. */
  readonly isWidened: boolean
  /** Bytes that all this takes. */
  readonly bytes: number
}

/** What is needed before a level continues: room in the table, two segments for each worker, and bits for local states. */
export function needOf(
  stateMemory: StateMemory,
  store: StateStore,
  locals: LocalStates,
  layout: Layout,
  workers: number,
): Need {
  const widths = locals.fittingWidths()
  const isWidened = widths.some((width, actor) => width !== stateMemory.widths[actor])
  const taken = Atomics.load(new Int32Array(stateMemory.usage), 0)
  const segments = Math.max(0, taken + 2 * workers - stateMemory.segments.length)
  const numbers = (stateMemory.segments.length + segments) * 2 ** stateMemory.segmentBits
  const capacity = capacityFor(store.size, numbers, store.capacity)
  const isTight = capacity > store.capacity
  const bytes = (isTight ? capacity * 4 : 0) + (isWidened ? store.size * packingOf(layout, widths).words * 4 : 0)
  return { segments, capacity, widths, isTight, isWidened, bytes }
}

/** The memory for states that are brought back: the segments that they were in, and what {@link needOf} would ask for beside them. */
export function memoryFor(
  stateMemory: StateMemory,
  states: number,
  taken: number,
  widths: readonly number[],
  layout: Layout,
  workers: number,
): StateMemory {
  const segments = Math.max(0, taken + 2 * workers - stateMemory.segments.length)
  const capacity = capacityFor(
    states,
    (stateMemory.segments.length + segments) * 2 ** stateMemory.segmentBits,
    stateMemory.table.byteLength / 4,
  )
  return enlarged(stateMemory, { segments, capacity, widths, isTight: true, isWidened: true, bytes: 0 }, layout)
}

/** Slots of a table for some states, and numbers up to a limit; at least as many as there are. */
function capacityFor(states: number, numbers: number, least: number): number {
  let capacity = least
  while (states > capacity * ROOMY || numbers >= 2 ** numberBits(capacity)) capacity *= capacity < LARGE_TABLE ? 4 : 2
  return capacity
}

/** The memory with what was needed: its table and, when states are packed again, its segments are still to be filled. */
export function enlarged(
  stateMemory: StateMemory,
  { segments, capacity, widths, isTight, isWidened }: Need,
  layout: Layout,
): StateMemory {
  const { segmentBits } = stateMemory
  const words = isWidened ? packingOf(layout, widths).words : stateMemory.words
  const kept = isWidened ? stateMemory.segments.map(() => newSegment(words, segmentBits)) : stateMemory.segments
  const added = Array.from({ length: segments }, () => newSegment(words, segmentBits))
  return {
    ...stateMemory,
    words,
    widths,
    segments: [...kept, ...added],
    stateWords:
      stateMemory.stateWords.length > 0
        ? [...stateMemory.stateWords, ...added.map(() => newWordSegment(segmentBits))]
        : [],
    ...((isTight || isWidened) && { table: newTable(capacity), numberBits: numberBits(capacity) }),
  }
}

/** A free table; its memory is committed as it is touched. */
function newTable(capacity: number): SharedArrayBuffer {
  return new SharedArrayBuffer(capacity * 4)
}

/**
 * Commits a free table's memory: pages that are read first and written later would be faulted in twice. A large table
 * takes a second or two where the system is slow to give memory, so that others get their turn meanwhile.
 *
 * @param slice milliseconds to work at a time
 * @param isOver whether the table is not needed any more: it is left as it is then
 */
export async function commitTable(table: SharedArrayBuffer, slice: number, isOver: () => boolean): Promise<void> {
  const words = new Int32Array(table)
  let end = performance.now() + slice
  for (let i = 0; i < words.length; i += PAGE / 4) {
    words[i] = 0
    if (performance.now() < end) continue
    await setImmediate()
    if (isOver()) return
    end = performance.now() + slice
  }
}
