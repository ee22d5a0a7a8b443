import type { Check } from '../../model/check.ts'
import type { Engine } from '../search/engine.ts'
import type { Range } from '../store/state-store.ts'
import { type Reach, movingBits, restBit } from '../store/state-words.ts'
import type { LocatedFinding } from '../successors/findings.ts'

/**
 * What backward sweeps over the whole graph have shown (docs/soundness.md, "Hangs"): the states of the first level
 * in which an actor can never move again; without any, those of the first level from which rest cannot be reached
 * although all can move.
 */
export function hangs(
  engine: Engine,
  checks: readonly Check[],
  levels: readonly (readonly Range[])[],
): LocatedFinding[] {
  const { reach } = engine
  const { actors } = engine.system
  const stuck = firstLevelWithout(movingBits(actors), levels, reach)
  const { depth, states } = stuck.states.length > 0 ? stuck : firstLevelWithout(restBit(actors), levels, reach)
  return states.flatMap((state) => findingsAt(engine, checks, state, depth, reach.get(state)))
}

/** The first level with states that lack one of the bits. */
function firstLevelWithout(
  required: number,
  levels: readonly (readonly Range[])[],
  reach: Reach,
): { depth: number; states: number[] } {
  for (const [depth, level] of levels.entries()) {
    const states: number[] = []
    for (const { from, to } of level) {
      for (let state = from; state < to; state++) if ((reach.get(state) & required) !== required) states.push(state)
    }
    if (states.length > 0) return { depth, states }
  }
  return { depth: 0, states: [] }
}

function findingsAt(
  engine: Engine,
  checks: readonly Check[],
  state: number,
  depth: number,
  reach: number,
): LocatedFinding[] {
  const words = engine.store.at(state)
  engine.view.show(words, engine.successors.stepsOf(words), 0, depth === 0)
  const stuck = engine.system.actors.filter(
    (actor) => !engine.view.isFinished(actor) && ((reach >> actor.id) & 1) === 0,
  )
  return checks.flatMap((check) => {
    const finding = check.hang?.(engine.view, stuck)
    return finding ? [{ ...finding, depth, state, step: null }] : []
  })
}
