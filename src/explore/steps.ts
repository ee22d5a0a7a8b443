/** The steps and blocked attempts of every actor in some states, as leaves of the step table. */
export class Steps {
  /** Leaves, state by state and actor by actor, in order of alternatives. */
  leaves = new Int32Array(256)
  count = 0
  /** By state and actor: where its leaves begin; those of the next actor or state end them. */
  starts: Int32Array
  readonly #actors: number

  /** @param states how many states there is room for */
  constructor(actors: number, states = 1) {
    this.#actors = actors
    this.starts = new Int32Array(states * actors + 1)
  }

  /** Adds a leaf of the actor at hand. */
  add(leaf: number): void {
    if (this.count === this.leaves.length) {
      const grown = new Int32Array(this.count * 2)
      grown.set(this.leaves)
      this.leaves = grown
    }
    this.leaves[this.count++] = leaf
  }

  /** The leaves of one actor in one of the states. */
  of(actor: number, state = 0): Int32Array {
    const at = state * this.#actors + actor
    return this.leaves.subarray(this.starts[at], this.starts[at + 1])
  }
}
