import { RandomSource } from '../../semantics/random-source.ts'
import type { Move, Path, Position, Strategy, StrategyOptions } from './strategy.ts'

/**
 * Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010): actors run by random priorities, and at
 * d - 1 random steps the one running falls behind all others. In a program of n actors and at most k steps, each execution
 * meets a bug that takes d orderings with a probability of at least 1 / (n k^(d-1)).
 */
export class Pct implements Strategy {
  readonly outcome = 'runs'
  readonly #options: StrategyOptions
  readonly #random: RandomSource
  #runs = 0
  /** By actor: the higher runs first. */
  #priorities: number[] = []
  /** Steps before which the actor running falls behind. */
  #changes = new Set<number>()
  #lowest = 0
  /** Steps of the longest execution so far. */
  #longest = 0

  constructor(options: StrategyOptions) {
    this.#options = options
    this.#random = new RandomSource(options.seed)
  }

  begin(): number {
    const { actors, runs, bugDepth } = this.#options
    if (this.#runs++ >= runs) return -1
    this.#priorities = []
    for (let actor = 0; actor < actors; actor++)
      this.#priorities.splice(this.#random.below(actor + 1), 0, bugDepth + actor)
    this.#lowest = bugDepth
    this.#changes = new Set(Array.from({ length: bugDepth - 1 }, () => this.#random.below(Math.max(1, this.#longest))))
    return 0
  }

  next({ moves, depth }: Position): Move | null {
    if (this.#changes.delete(depth)) this.#priorities[this.#first(moves)] = --this.#lowest
    const actor = this.#first(moves)
    const mine = moves.filter((move) => move.actor === actor)
    return mine[this.#random.below(mine.length)] ?? null
  }

  end({ moves }: Path): void {
    this.#longest = Math.max(this.#longest, moves.length)
  }

  notes(): readonly string[] {
    const { actors, bugDepth } = this.#options
    const once = 1 / (actors * this.#longest ** (bugDepth - 1))
    const runs = Math.max(0, this.#runs - 1)
    const all = 1 - (1 - once) ** runs
    return [
      `a bug that takes ${bugDepth} orderings among ${actors} actors in executions of at most ${this.#longest} steps is met with a probability of at least ${once.toPrecision(2)} an execution, ${all.toPrecision(2)} in ${runs}; alternatives in steps are drawn on top of that`,
    ]
  }

  #first(moves: readonly Move[]): number {
    let first = moves[0]?.actor ?? 0
    for (const { actor } of moves)
      if ((this.#priorities[actor] as number) > (this.#priorities[first] as number)) first = actor
    return first
  }
}
