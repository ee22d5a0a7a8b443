import { checks } from '../../checks/index.ts'
import type { LoadedModel } from '../../src/runtime/load.ts'
import type { Engine } from '../../src/explore/search/engine.ts'
import { conflict } from '../../src/explore/step/accesses.ts'
import { DepthFirst } from '../../src/explore/paths/depth-first.ts'
import { PathSearch } from '../../src/explore/paths/path-search.ts'
import type { PathResult } from '../../src/explore/paths/path-result.ts'
import { STRATEGIES } from '../../src/explore/paths/strategies.ts'
import type { PathStrategyName } from '../../src/source/strategy-names.ts'
import type { Move, Path, Position, Strategy, Trial } from '../../src/explore/paths/strategy.ts'
import { buildSystem } from '../../src/explore/state/system.ts'
import type { Granularity } from '../../src/semantics/step-bounds.ts'

/** A search along paths with what its executions were. */
export interface Followed {
  readonly result: PathResult
  /** Classes of executions, up to the order of independent steps, as texts. */
  readonly classes: readonly string[]
  /** Threads that stood still at the end of some execution, as texts. */
  readonly stuck: ReadonlySet<string>
  /** States in which executions ended with all threads through. */
  readonly ends: readonly Int32Array[]
  readonly engine: Engine
  /** Whether nothing was left out for lack of time. */
  readonly isThrough: boolean
}

/** Every execution, one after another: no reduction at all. */
class EveryPath extends DepthFirst {
  override next(position: Position): Move | null {
    return super.next({ ...position, isKnown: false })
  }
}

/** Notes what executions another strategy makes. */
class Listening implements Strategy {
  readonly classes: string[] = []
  readonly stuck = new Set<string>()
  readonly ends = new Map<string, Int32Array>()
  isThrough = false
  readonly #strategy: Strategy

  constructor(strategy: Strategy) {
    this.#strategy = strategy
  }

  get outcome(): 'all' | 'runs' {
    return this.#strategy.outcome
  }

  begin(): number {
    const depth = this.#strategy.begin()
    this.isThrough = depth < 0
    return depth
  }

  next(position: Position): Move | null {
    return this.#strategy.next(position)
  }

  end(path: Path, trial: Trial): void {
    if (path.isComplete) {
      this.classes.push(classOf(path.moves))
      const { blocked, moves, words } = path.positions.at(-1) as Position
      if (blocked.length > 0) this.stuck.add([...new Set(blocked.map(({ actor }) => actor))].join())
      else if (moves.length === 0) this.ends.set(words.join(), words)
    }
    this.#strategy.end(path, trial)
  }

  notes(): readonly string[] {
    return this.#strategy.notes()
  }
}

/** The normal form of an execution's class: steps in layers, each as early as what it depends on allows (Foata). */
function classOf(moves: readonly Move[]): string {
  const layers: string[][] = []
  const depths: number[] = []
  moves.forEach((move, i) => {
    let depth = 0
    for (let k = 0; k < i; k++) {
      const other = moves[k] as Move
      if (other.actor === move.actor || conflict(other.access, move.access))
        depth = Math.max(depth, (depths[k] as number) + 1)
    }
    depths.push(depth)
    ;(layers[depth] ??= []).push([move.actor, ...move.choices].join('.'))
  })
  return layers.map((layer) => layer.toSorted().join(' ')).join(' | ')
}

/** Follows the executions of a model by a strategy, or by none: all of them, up to a number of states looked at. */
export async function follow(
  loaded: LoadedModel,
  name: PathStrategyName | 'every',
  granularity: Granularity,
  params: Readonly<Record<string, unknown>> = {},
  most = { states: Infinity, seconds: 10 },
): Promise<Followed> {
  const system = buildSystem(loaded, params)
  const strategy =
    name === 'every'
      ? new EveryPath()
      : STRATEGIES[name].create({ actors: system.actors.length, seed: 1, runs: 20, bugDepth: 3 })
  const listening = new Listening(strategy)
  const search = new PathSearch(system, {
    params,
    granularity,
    checks,
    keepGoing: true,
    strategy: listening,
    isStateless: name === 'every' || name === 'dpor',
    preemptions: Infinity,
    limits: {
      maxStates: most.states,
      maxDepth: name === 'random' || name === 'pct' ? 200 : Infinity,
      time: most.seconds,
      memory: 1e9,
    },
    localCapacity: { states: 1 << 14, words: 1 << 20 },
    signal: new AbortController().signal,
    progress: () => {},
  })
  const result = await search.run()
  return {
    result,
    engine: search.engine,
    classes: listening.classes,
    stuck: listening.stuck,
    ends: [...listening.ends.values()],
    isThrough: listening.isThrough,
  }
}
