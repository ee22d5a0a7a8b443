import { DepthFirst } from './depth-first.ts'
import { Dpor } from './dpor.ts'
import { Pct } from './pct.ts'
import type { PathStrategyName } from '../../source/strategy-names.ts'
import { RandomWalk } from './random.ts'
import type { Strategy, StrategyOptions } from './strategy.ts'

/** A way of following one execution after another. */
interface StrategyEntry {
  create(options: StrategyOptions): Strategy
  /** Options that mean something to it, beside those of every search. */
  readonly options: readonly ('preemptions' | 'seed' | 'runs' | 'bugDepth')[]
}

/** Strategies that follow one execution at a time: a new one is a file, a line here and its name in `src/source/strategy-names.ts`. */
export const STRATEGIES: Readonly<Record<PathStrategyName, StrategyEntry>> = {
  dfs: { create: () => new DepthFirst(), options: ['preemptions'] },
  dpor: { create: (options) => new Dpor(options), options: ['preemptions'] },
  random: { create: (options) => new RandomWalk(options), options: ['preemptions', 'seed', 'runs'] },
  pct: { create: (options) => new Pct(options), options: ['preemptions', 'seed', 'runs', 'bugDepth'] },
}
