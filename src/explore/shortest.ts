import type { Engine } from './engine.ts'
import { leafChoices } from './leaf.ts'
import type { ScheduledStep } from './schedule.ts'
import type { Search } from './search.ts'
import { markOf } from './share.ts'
import type { Range } from './state-store.ts'

/** A step between two states on shortest paths. */
interface Edge extends ScheduledStep {
  readonly to: number
}

/**
 * The shortest schedule from the initial state to a stored one, and among the shortest one with the fewest changes
 * of actor; ties go to the smaller actor and alternatives, so that the answer does not depend on the workers.
 *
 * States store no parents: a backward sweep over the levels marks every state on a shortest path.
 *
 * @param target number of the state
 * @param depth its level
 * @param last actor of a violating step taken from the target, or -1
 */
export async function shortestSchedule(search: Search, levels: readonly (readonly Range[])[], target: number, depth: number, last: number): Promise<ScheduledStep[]> {
  const { engine } = search
  const marks = new SharedArrayBuffer(search.room.segments.length * 2 ** search.room.segmentBits)
  const marked = new Uint8Array(marks)
  marked[target] = markOf(depth)
  for (let level = depth - 1; level >= 0; level--) {
    await search.sharedTask({ kind: 'mark', room: search.room, ranges: levels[level] as readonly Range[], marks, level })
  }
  return new PathChooser(engine, marked, levels, target, depth, last).schedule()
}

/** Chooses among the marked paths by dynamic programming from the target backwards. */
class PathChooser {
  readonly #engine: Engine
  readonly #edges = new Map<number, Edge[]>()
  /** By state: for each actor the fewest switches of a path that goes on with it. */
  readonly #cost = new Map<number, number[]>()
  readonly #start: number
  readonly #depth: number

  constructor(engine: Engine, marked: Uint8Array, levels: readonly (readonly Range[])[], target: number, depth: number, last: number) {
    this.#engine = engine
    this.#depth = depth
    const actors = engine.system.actors.length
    this.#cost.set(target, Array.from({ length: actors }, (_, actor) => (last < 0 || actor === last ? 0 : Infinity)))
    for (let level = depth - 1; level >= 0; level--) {
      for (const { from, to } of levels[level] as readonly Range[]) {
        for (let state = from; state < to; state++) if (marked[state] === markOf(level)) this.#settle(state, marked, level)
      }
    }
    this.#start = (levels[0] as readonly Range[])[0]?.from ?? 0
  }

  #settle(state: number, marked: Uint8Array, level: number): void {
    const { store, successors, system, table } = this.#engine
    const edges: Edge[] = []
    const cost = system.actors.map(() => Infinity)
    successors.forEach(store.at(state), (actor, leaf, next) => {
      const to = store.find(next)
      if (to < 0 || marked[to] !== markOf(level + 1) || !this.#cost.has(to)) return // back edges may share the mark
      edges.push({ actor: actor.id, choices: leafChoices(table.words, leaf), to })
      cost[actor.id] = Math.min(cost[actor.id] as number, this.#after(to, actor.id))
    })
    this.#edges.set(state, edges)
    this.#cost.set(state, cost)
  }

  /** Fewest switches from a state on, when `actor` made the step into it. */
  #after(state: number, actor: number): number {
    return Math.min(...(this.#cost.get(state) as number[]).map((cost, next) => cost + (next === actor ? 0 : 1)))
  }

  /** The steps chosen. */
  schedule(): ScheduledStep[] {
    const steps: ScheduledStep[] = []
    let state = this.#start
    let actor = -1
    for (let i = 0; i < this.#depth; i++) {
      const edge = this.#best(state, actor)
      steps.push({ actor: edge.actor, choices: edge.choices })
      state = edge.to
      actor = edge.actor
    }
    return steps
  }

  #best(state: number, actor: number): Edge {
    const edges = (this.#edges.get(state) as Edge[]).map((edge) => ({ edge, cost: this.#after(edge.to, edge.actor) + (edge.actor === actor || actor < 0 ? 0 : 1) }))
    const least = Math.min(...edges.map(({ cost }) => cost))
    // edges are in order of actor and alternatives
    const found = edges.find(({ cost }) => cost === least)
    if (!found) throw this.#engine.executor.unstable()
    return found.edge
  }
}
