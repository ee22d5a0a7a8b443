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
    this.makeRoom(this.count + 1)[this.count++] = leaf
  }

  /** The leaves, with room for so many. */
  makeRoom(leaves: number): Int32Array {
    if (leaves > this.leaves.length) {
      const grown = new Int32Array(leaves * 2)
      grown.set(this.leaves)
      this.leaves = grown
    }
    return this.leaves
  }

  /**
   * Leaves out the steps of some of the states.
   * @param isOut by state
   * @param states how many there are
   */
  leaveOut(isOut: Uint8Array, states: number): void {
    const { leaves, starts } = this
    let to = 0
    for (let state = 0, at = 0; state < states; state++) {
      for (let actor = 0; actor < this.#actors; actor++, at++) {
        const [from, end] = [starts[at] as number, starts[at + 1] as number]
        starts[at] = to
        if (isOut[state] === 0) for (let i = from; i < end; i++) leaves[to++] = leaves[i] as number
      }
    }
    starts[states * this.#actors] = to
    this.count = to
  }

  /** The leaves of one actor in one of the states. */
  of(actor: number, state = 0): Int32Array {
    const at = state * this.#actors + actor
    return this.leaves.subarray(this.starts[at], this.starts[at + 1])
  }
}
