import { type Range, rangesSize } from '../store/state-store.ts'
import type { Tally } from '../successors/findings.ts'

/** The states of one depth, and what processing them came to. */
export class Level {
  readonly ranges: readonly Range[]
  transitions = 0
  endStates = 0
  pruned = 0
  alone = 0
  /** States with a step that could be taken. */
  open = 0

  constructor(ranges: readonly Range[]) {
    this.ranges = ranges
  }

  get states(): number {
    return rangesSize(this.ranges)
  }

  add(tally: Tally): void {
    this.transitions += tally.transitions
    this.endStates += tally.endStates
    this.pruned += tally.pruned
    this.alone += tally.alone
    this.open += tally.open
  }
}
