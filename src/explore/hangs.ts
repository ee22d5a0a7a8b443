import type { Check } from '../model/check.ts'
import type { Engine } from './engine.ts'
import type { LocatedFinding } from './expansion.ts'
import { REST_BIT } from './share.ts'
import type { Range } from './state-store.ts'

/**
 * What backward sweeps over the whole graph have shown (docs/soundness.md, "Hangs"): the states of the first level
 * in which an actor can never move again; without any, those of the first level from which rest cannot be reached
 * although all can move.
 *
 * @param reach by state: bit a when actor a has finished or can still move, REST_BIT when rest can be reached
 */
export function hangs(engine: Engine, checks: readonly Check[], levels: readonly (readonly Range[])[], reach: Int32Array): LocatedFinding[] {
  const { actors } = engine.system
  const must = actors.filter((actor) => !actor.daemon || actor.kind === 'handler').reduce((mask, { id }) => mask | (1 << id), 0)
  const rest = actors.some((actor) => actor.mustFinish) ? REST_BIT : 0
  const stuck = firstLevelWithout(must, levels, reach)
  const { depth, states } = stuck.states.length > 0 ? stuck : firstLevelWithout(rest, levels, reach)
  return states.flatMap((state) => findingsAt(engine, checks, state, depth, reach[state] as number))
}

/** The first level with states that lack one of the bits. */
function firstLevelWithout(required: number, levels: readonly (readonly Range[])[], reach: Int32Array): { depth: number; states: number[] } {
  for (const [depth, level] of levels.entries()) {
    const states: number[] = []
    for (const { from, to } of level) {
      for (let state = from; state < to; state++) if (((reach[state] as number) & required) !== required) states.push(state)
    }
    if (states.length > 0) return { depth, states }
  }
  return { depth: 0, states: [] }
}

function findingsAt(engine: Engine, checks: readonly Check[], state: number, depth: number, reach: number): LocatedFinding[] {
  const words = engine.store.at(state)
  engine.view.show(words, engine.expansion.steps(words), depth === 0)
  const stuck = engine.system.actors.filter((actor) => !engine.view.mayStand(actor) && ((reach >> actor.id) & 1) === 0)
  return checks.flatMap((check) => {
    const finding = check.hang?.(engine.view, stuck)
    return finding ? [{ ...finding, depth, state, step: null }] : []
  })
}
