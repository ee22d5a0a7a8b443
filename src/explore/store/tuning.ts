import type { LocalCapacity } from '../state/local-states.ts'

/** Sizes and thresholds that no result depends on, but for the counts of a search cut short; tests make them small to reach every path. */
export interface Tuning {
  /** Levels with fewer states than this are left to one worker. */
  readonly narrow: number
  /** Milliseconds of work after which further threads are worth their start. */
  readonly worthThreads: number
  /** Milliseconds that the coordinating thread works at a time. */
  readonly slice: number
  /** Slots of the first table, a power of two. */
  readonly firstCapacity: number
  /** States that a segment holds, as a power of two. */
  readonly segmentBits: number
  /** Bits of an actor's local state when a search starts. */
  readonly firstWidth: number
  /** Bits by which local states are widened beyond what is needed where that costs no words. */
  readonly mostSpare: number
  /** Records of a label before the step table may give it up; below 0, every step is executed each time. */
  readonly patience: number
  /** Whether successors that are sure to be stored are left out. */
  readonly sleepSets: boolean
  /** Room for local states. */
  readonly localCapacity: LocalCapacity
}

/** What searches use. */
export const TUNING: Tuning = {
  narrow: 2048,
  worthThreads: 100,
  slice: 20,
  firstCapacity: 1 << 16,
  segmentBits: 20,
  firstWidth: 4,
  mostSpare: 8,
  patience: 4096,
  sleepSets: true,
  localCapacity: { states: 1 << 20, words: 1 << 24 },
}
