import type { Finding } from '../../model/check.ts'

/** Where something was found: in a stored state, or in a step out of one. */
export interface LocatedFinding extends Finding {
  /** Steps from the initial state, the violating one included. */
  readonly depth: number
  /** Number of the stored state. */
  readonly state: number
  /** The violating step, or null when the state itself is what is wrong. */
  readonly step: { readonly actor: number; readonly choices: readonly number[] } | null
}

/** What the expansion of some states came to. */
export interface Counts {
  transitions: number
  endStates: number
  /** States with a step that could be taken. */
  open: number
  looped: boolean
  /** Steps that ended in a fault which no check that is on looks for: nothing beyond them is explored. */
  pruned: number
  /** States beyond what the model says is to be explored: nothing was done there. */
  beyond: number
  /** States out of which one actor's steps were enough. */
  alone: number
  findings: LocatedFinding[]
}

/** Counts of nothing. */
export function newCounts(): Counts {
  return { transitions: 0, endStates: 0, open: 0, looped: false, pruned: 0, beyond: 0, alone: 0, findings: [] }
}
