import { type Range, rangesSize } from '../store/store-buffers.ts'
import type { Counts } from '../successors/findings.ts'

/** The states of one depth, and what processing them came to. */
export class Level {
  readonly ranges: readonly Range[]
  transitions = 0
  endStates = 0
  pruned = 0
  beyond = 0
  alone = 0
  /** States with a step that could be taken. */
  open = 0

  constructor(ranges: readonly Range[]) {
    this.ranges = ranges
  }

  get states(): number {
    return rangesSize(this.ranges)
  }

  add(counts: Counts): void {
    this.transitions += counts.transitions
    this.endStates += counts.endStates
    this.pruned += counts.pruned
    this.beyond += counts.beyond
    this.alone += counts.alone
    this.open += counts.open
  }
}
