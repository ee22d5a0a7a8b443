import { RandomSource } from '../../semantics/random-source.ts'
import type { Move, Position, Strategy, StrategyOptions } from './strategy.ts'

/** Uniform random walk: at every state each actor that can move is as likely as the others, and so is each alternative of its step. */
export class RandomWalk implements Strategy {
  readonly outcome = 'runs'
  readonly #random: RandomSource
  #left: number

  constructor({ seed, runs }: StrategyOptions) {
    this.#random = new RandomSource(seed)
    this.#left = runs
  }

  begin(): number {
    return this.#left-- > 0 ? 0 : -1
  }

  next({ moves }: Position): Move | null {
    const actors = [...new Set(moves.map(({ actor }) => actor))]
    const actor = actors[this.#random.below(actors.length)]
    const mine = moves.filter((move) => move.actor === actor)
    return mine[this.#random.below(mine.length)] ?? null
  }

  end(): void {}

  notes(): readonly string[] {
    return []
  }
}
