import type { Engine } from '../search/engine.ts'
import { leafChoices } from '../table/leaf.ts'
import type { ScheduledStep } from '../../trace/schedule.ts'
import type { Search } from '../search/search.ts'
import type { MarkResult } from '../search/search-worker.ts'
import { markOf } from '../search/marking.ts'
import type { Range } from '../store/store-buffers.ts'
import type { Symmetry } from '../symmetry/symmetry.ts'

/** A step between two states on shortest paths. */
interface Edge extends ScheduledStep {
  readonly to: number
  /** The state reached, before members were renamed; null without symmetry. */
  readonly reached: Int32Array | null
  /** What members are called in the state that is stored; null: the same. */
  readonly image: Int32Array | null
}

/**
 * The shortest schedule from the initial state to a stored one, and among the shortest one with the fewest changes
 * of actor; ties go to the smaller actor and alternatives, so that the answer does not depend on the workers.
 *
 * States store no parents: a backward sweep over the levels marks every state on a shortest path. Where members are
 * renamed, the schedule calls them throughout as they are called in the target.
 *
 * @param target number of the state
 * @param depth its level
 * @param last actor of a violating step taken from the target, or -1
 */
export async function shortestSchedule(
  search: Search,
  levels: readonly (readonly Range[])[],
  target: number,
  depth: number,
  last: number,
): Promise<ScheduledStep[]> {
  const { engine } = search
  const marks = new SharedArrayBuffer(search.stateMemory.segments.length * 2 ** search.stateMemory.segmentBits)
  const marked = new Uint8Array(marks)
  marked[target] = markOf(depth)
  const chooser = new PathChooser(engine, marked, levels, target, depth, last)
  for (let level = depth - 1; level >= 0; level--) {
    const { stateMemory } = search
    const ranges = levels[level] as readonly Range[]
    const found = await search.sharedTask({ kind: 'mark', stateMemory, ranges, marks, level })
    chooser.settle(
      level,
      found.map((result) => (result as MarkResult).edges),
    )
  }
  return chooser.schedule()
}

/** The fewest changes of actor from a state on, and the actors (as a mask) whose step may come next then. */
interface Cost {
  /** Of the state. */
  readonly level: number
  readonly least: number
  readonly next: number
}

/** Chooses among the marked paths by dynamic programming from the target backwards. */
class PathChooser {
  readonly #engine: Engine
  readonly #marked: Uint8Array
  readonly #levels: readonly (readonly Range[])[]
  readonly #cost = new Map<number, Cost>()
  readonly #start: number
  readonly #depth: number

  constructor(
    engine: Engine,
    marked: Uint8Array,
    levels: readonly (readonly Range[])[],
    target: number,
    depth: number,
    last: number,
  ) {
    this.#engine = engine
    this.#marked = marked
    this.#levels = levels
    this.#depth = depth
    this.#cost.set(target, { level: depth, least: 0, next: last < 0 ? -1 : 1 << last })
    this.#start = (levels[0] as readonly Range[])[0]?.from ?? 0
  }

  /**
   * A level is marked.
   * @param found the steps by which its states lead to marked ones, as each thread found them (see `Marking.edges`)
   */
  settle(level: number, found: readonly (Uint32Array | null)[]): void {
    if (found.every((edges) => edges !== null)) for (const edges of found) this.#settleBy(edges, level)
    else
      for (const { from, to } of this.#levels[level] as readonly Range[])
        for (let state = from; state < to; state++)
          if (this.#marked[state] === markOf(level)) this.#settleState(state, level)
  }

  /** Settles states by the steps out of them, which are found one after another for each state. */
  #settleBy(edges: Uint32Array, level: number): void {
    for (let at = 0; at < edges.length;) {
      const state = edges[at] as number
      const costs: (readonly [actor: number, cost: number])[] = []
      for (; edges[at] === state; at += 3) {
        const [actor, to] = [edges[at + 1] as number, edges[at + 2] as number]
        if (this.#cost.get(to)?.level === level + 1) costs.push([actor, this.#after(to, actor)])
      }
      this.#cost.set(state, cheapest(level, costs))
    }
  }

  #settleState(state: number, level: number): void {
    this.#cost.set(
      state,
      cheapest(
        level,
        this.#edgesOf(state, level).map((edge) => [edge.actor, this.#after(edge.to, this.#arrives(edge))]),
      ),
    )
  }

  /** The steps out of a state that lead on to the target. */
  #edgesOf(state: number, level: number): Edge[] {
    const { store, successors, symmetry, table } = this.#engine
    const edges: Edge[] = []
    successors.forEach(store.at(state), (actor, leaf, next) => {
      const reached = symmetry ? next.slice() : null
      const image = symmetry?.canonise(next)?.slice() ?? null
      const to = store.find(next)
      if (to < 0 || this.#cost.get(to)?.level !== level + 1) return
      edges.push({ actor: actor.id, choices: leafChoices(table.words, leaf), to, reached, image })
    })
    return edges
  }

  /** Fewest changes from a state on, when `actor` made the step into it. */
  #after(state: number, actor: number): number {
    const { least, next } = this.#cost.get(state) as Cost
    return ((next >> actor) & 1) === 1 ? least : least + 1
  }

  /** What the actor of a step is called in the state that it leads to. */
  #arrives({ actor, image }: Edge): number {
    return image === null ? actor : (this.#engine.symmetry as Symmetry).names.actor(actor, image)
  }

  /** The steps chosen. */
  schedule(): ScheduledStep[] {
    const edges = this.#choose()
    const { symmetry } = this.#engine
    return symmetry
      ? new Renamed(this.#engine, symmetry, this.#start).schedule(edges)
      : edges.map(({ actor, choices }) => ({ actor, choices }))
  }

  #choose(): Edge[] {
    const edges: Edge[] = []
    let state = this.#start
    let actor = -1
    /** By name in the state: the name at the start. */
    let real: Int32Array | null = null
    for (let i = 0; i < this.#depth; i++) {
      const edge: Edge = this.#best(state, i, actor, real)
      edges.push(edge)
      state = edge.to
      actor = this.#arrives(edge)
      real = follow(real, edge.image)
    }
    return edges
  }

  #best(state: number, level: number, actor: number, real: Int32Array | null): Edge {
    const { symmetry } = this.#engine
    const named = (edge: Edge): number => (real && symmetry ? symmetry.names.actor(edge.actor, real) : edge.actor)
    const edges = this.#edgesOf(state, level).map((edge) => ({
      edge,
      cost: this.#after(edge.to, this.#arrives(edge)) + (edge.actor === actor || actor < 0 ? 0 : 1),
    }))
    const least = Math.min(...edges.map(({ cost }) => cost))
    // edges are in order of actor and alternatives; sorting keeps that order among equals
    const [found] = edges.filter(({ cost }) => cost === least).toSorted((a, b) => named(a.edge) - named(b.edge))
    if (!found) throw this.#engine.executor.unstable()
    return found.edge
  }
}

/** What the steps out of a state cost, each with all that comes after it. */
function cheapest(level: number, costs: readonly (readonly [actor: number, cost: number])[]): Cost {
  const least = costs.reduce((sofar, [, cost]) => Math.min(sofar, cost), Infinity)
  return { level, least, next: costs.reduce((mask, [actor, cost]) => (cost === least ? mask | (1 << actor) : mask), 0) }
}

/** Names at the start by names in the next state, from those in the state before it. */
function follow(real: Int32Array | null, image: Int32Array | null): Int32Array | null {
  if (image === null) return real
  const next = new Int32Array(image.length)
  image.forEach((named, member) => (next[named] = real === null ? member : (real[member] as number)))
  return next
}

/** Takes a path of stored states as one of real states, in which members keep their names: those of the last stored one. */
class Renamed {
  readonly #engine: Engine
  readonly #symmetry: Symmetry
  readonly #start: number

  constructor(engine: Engine, symmetry: Symmetry, start: number) {
    this.#engine = engine
    this.#symmetry = symmetry
    this.#start = start
  }

  schedule(edges: readonly Edge[]): ScheduledStep[] {
    const last = edges.reduce<Int32Array | null>((real, { image }) => follow(real, image), null)
    // the initial state is the same under all names, so that the path may begin with those that lead to the last ones
    let real = last && inverse(last)
    let state = this.#start
    return edges.map((edge) => {
      const step = this.#step(state, edge, real)
      state = edge.to
      real = follow(real, edge.image)
      return step
    })
  }

  /** A step of a stored state as one of the real state. */
  #step(state: number, { actor, choices, reached }: Edge, real: Int32Array | null): ScheduledStep {
    if (real === null || reached === null) return { actor, choices }
    const { store, successors, table } = this.#engine
    const target = this.#symmetry.rename(reached, real)
    const who = this.#symmetry.names.actor(actor, real)
    let found: ScheduledStep | null = null
    successors.forEach(this.#symmetry.rename(store.at(state), real), (one, theirs, next) => {
      if (one.id === who && next.every((word, i) => word === target[i]))
        found ??= { actor: who, choices: leafChoices(table.words, theirs) }
    })
    if (!found) throw this.#engine.executor.unstable()
    return found
  }
}

function inverse(image: Int32Array): Int32Array {
  const made = new Int32Array(image.length)
  image.forEach((to, from) => (made[to] = from))
  return made
}
