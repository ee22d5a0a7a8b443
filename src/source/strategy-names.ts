/** Names of the strategies, the usual one first: `bfs` stores states, level by level; the others follow one execution at a time. */
export const STRATEGY_NAMES = ['bfs', 'dfs', 'dpor', 'random', 'pct'] as const

/** Name of any strategy. */
export type StrategyName = (typeof STRATEGY_NAMES)[number]

/** Name of a strategy that follows one execution at a time. */
export type PathStrategyName = Exclude<StrategyName, 'bfs'>
