import type { Check } from '../../model/check.ts'
import type { System } from '../state/system.ts'
import type { StateStore } from '../store/state-store.ts'
import type { Range } from '../store/store-buffers.ts'
import { type StateWords, movingBits, restBit } from '../store/state-words.ts'
import type { LocatedFinding } from '../successors/findings.ts'
import type { StoredStateView } from '../successors/state-view.ts'
import type { Successors } from '../successors/successors.ts'

/** What the hang check needs of an engine once the sweeps are done. */
export interface HangParts {
  readonly system: System
  readonly store: StateStore
  readonly stateWords: StateWords
  readonly successors: Successors
  readonly view: StoredStateView
}

/**
 * What backward sweeps over the whole graph have shown (docs/soundness.md, "Hangs"): the states of the first level
 * in which an actor can never move again; without any, those of the first level from which rest cannot be reached
 * although all can move.
 */
export function hangs(
  parts: HangParts,
  checks: readonly Check[],
  levels: readonly (readonly Range[])[],
): LocatedFinding[] {
  const { stateWords } = parts
  const { actors } = parts.system
  const stuck = firstLevelWithout(movingBits(actors), levels, stateWords)
  const { depth, states } = stuck.states.length > 0 ? stuck : firstLevelWithout(restBit(actors), levels, stateWords)
  return states.flatMap((state) => findingsAt(parts, checks, state, depth, stateWords.get(state)))
}

/** The first level with states that lack one of the bits. */
function firstLevelWithout(
  required: number,
  levels: readonly (readonly Range[])[],
  stateWords: StateWords,
): { depth: number; states: number[] } {
  for (const [depth, level] of levels.entries()) {
    const states: number[] = []
    for (const { from, to } of level) {
      for (let state = from; state < to; state++)
        if ((stateWords.get(state) & required) !== required) states.push(state)
    }
    if (states.length > 0) return { depth, states }
  }
  return { depth: 0, states: [] }
}

function findingsAt(
  parts: HangParts,
  checks: readonly Check[],
  state: number,
  depth: number,
  bits: number,
): LocatedFinding[] {
  const words = parts.store.at(state)
  parts.view.show(words, parts.successors.stepsOf(words), 0, depth === 0)
  const stuck = parts.system.actors.filter((actor) => !parts.view.isFinished(actor) && ((bits >> actor.id) & 1) === 0)
  return checks.flatMap((check) => {
    const finding = check.hang?.(parts.view, stuck)
    return finding ? [{ ...finding, depth, state, step: null }] : []
  })
}
