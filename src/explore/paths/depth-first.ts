import type { Move, Position, Strategy } from './strategy.ts'

/** Depth-first search over stored states: every state once, paths that meet one again end there. */
export class DepthFirst implements Strategy {
  readonly outcome = 'all'
  /** By depth: steps still to be taken there, the next one last. */
  readonly #open: Move[][] = []
  #hasBegun = false

  begin(): number {
    if (!this.#hasBegun) {
      this.#hasBegun = true
      return 0
    }
    while (this.#open.length > 0 && this.#open.at(-1)?.length === 0) this.#open.pop()
    return this.#open.length - 1
  }

  next({ depth, moves, isKnown }: Position): Move | null {
    if (depth === this.#open.length) {
      if (isKnown) return null
      this.#open.push(moves.toReversed())
    }
    return this.#open[depth]?.pop() ?? null
  }

  end(): void {}

  notes(): readonly string[] {
    return []
  }
}
