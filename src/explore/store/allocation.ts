import { type Layout, packingOf } from '../state/layout.ts'
import type { LocalStates } from '../state/local-states.ts'
import { newReachSegment } from './state-words.ts'
import { MAX_SEGMENTS, type StateStore, type StoreBuffers, newSegment, numberBits } from './state-store.ts'
import type { Tuning } from './tuning.ts'

/** Where states are kept at one time of a search, and how they are packed. */
export interface Room extends StoreBuffers {
  readonly widths: readonly number[]
  /** For the hang check and for sleep sets, segment by segment; empty when there are none. */
  readonly reach: readonly SharedArrayBuffer[]
}

/** Bytes that the system commits at a time, or less. */
const PAGE = 4096
/** Share of the table that may be taken when a level begins. */
const ROOMY = 0.4
/** Slots of a table from which on it is doubled, not quadrupled: entering all states anew costs less than room then. */
const LARGE_TABLE = 1 << 22

/** The room that a search starts with: a segment for each worker and one to spare. */
export function firstRoom(
  { packing: { words, widths } }: LocalStates,
  { segmentBits, firstCapacity }: Tuning,
  workers: number,
  hasReach: boolean,
): Room {
  const segments = Array.from({ length: workers + 1 }, () => newSegment(words, segmentBits))
  return {
    words,
    widths,
    segments,
    reach: hasReach ? segments.map(() => newReachSegment(segmentBits)) : [],
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
  /** Whether states are to be packed anew. */
  readonly isWidened: boolean
  /** Bytes that all this takes. */
  readonly bytes: number
}

/** What is needed before a level goes on: room in the table, two segments for each worker, and bits for local states. */
export function needOf(room: Room, store: StateStore, locals: LocalStates, layout: Layout, workers: number): Need {
  const widths = locals.fittingWidths()
  const isWidened = widths.some((width, actor) => width !== room.widths[actor])
  const taken = Atomics.load(new Int32Array(room.usage), 0)
  const segments = Math.max(0, taken + 2 * workers - room.segments.length)
  const numbers = (room.segments.length + segments) * 2 ** room.segmentBits
  const capacity = capacityFor(store.size, numbers, store.capacity)
  const isTight = capacity > store.capacity
  const bytes = (isTight ? capacity * 4 : 0) + (isWidened ? store.size * packingOf(layout, widths).words * 4 : 0)
  return { segments, capacity, widths, isTight, isWidened, bytes }
}

/** The room for states that are brought back: the segments that they were in, and what {@link needOf} would ask for beside them. */
export function roomFor(
  room: Room,
  states: number,
  taken: number,
  widths: readonly number[],
  layout: Layout,
  workers: number,
): Room {
  const segments = Math.max(0, taken + 2 * workers - room.segments.length)
  const capacity = capacityFor(
    states,
    (room.segments.length + segments) * 2 ** room.segmentBits,
    room.table.byteLength / 4,
  )
  return enlarged(room, { segments, capacity, widths, isTight: true, isWidened: true, bytes: 0 }, layout)
}

/** Slots of a table for some states, and numbers up to a limit; at least as many as there are. */
function capacityFor(states: number, numbers: number, least: number): number {
  let capacity = least
  while (states > capacity * ROOMY || numbers >= 2 ** numberBits(capacity)) capacity *= capacity < LARGE_TABLE ? 4 : 2
  return capacity
}

/** A room with what was needed: its table and, when states are packed anew, its segments are still to be filled. */
export function enlarged(room: Room, { segments, capacity, widths, isTight, isWidened }: Need, layout: Layout): Room {
  const { segmentBits } = room
  const words = isWidened ? packingOf(layout, widths).words : room.words
  const kept = isWidened ? room.segments.map(() => newSegment(words, segmentBits)) : room.segments
  const added = Array.from({ length: segments }, () => newSegment(words, segmentBits))
  return {
    ...room,
    words,
    widths,
    segments: [...kept, ...added],
    reach: room.reach.length > 0 ? [...room.reach, ...added.map(() => newReachSegment(segmentBits))] : [],
    ...((isTight || isWidened) && { table: newTable(capacity), numberBits: numberBits(capacity) }),
  }
}

/** A free table whose memory is committed: pages that are read first and written later would be faulted in twice. */
function newTable(capacity: number): SharedArrayBuffer {
  const table = new SharedArrayBuffer(capacity * 4)
  const words = new Int32Array(table)
  for (let i = 0; i < capacity; i += PAGE / 4) words[i] = 0
  return table
}
