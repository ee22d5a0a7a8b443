import { DepthFirst } from './depth-first.ts'
import { Dpor } from './dpor.ts'
import { Pct } from './pct.ts'
import { RandomWalk } from './random.ts'
import type { Strategy, StrategyOptions } from './strategy.ts'

/** Strategies that follow one execution at a time: a new one is a file and a line here. */
export const STRATEGIES: Readonly<Record<'dfs' | 'dpor' | 'random' | 'pct', (options: StrategyOptions) => Strategy>> = {
  dfs: () => new DepthFirst(),
  dpor: (options) => new Dpor(options),
  random: (options) => new RandomWalk(options),
  pct: (options) => new Pct(options),
}

/** Name of a strategy that follows one execution at a time. */
export type PathStrategyName = keyof typeof STRATEGIES
