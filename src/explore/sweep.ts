import type { Engine } from './engine.ts'
import { IDLE, OUTCOME, STEP } from './leaf.ts'
import { ALL_BITS, movingBits, restBit } from './reach.ts'
import { PART } from './state-store.ts'
import { GROUP } from './successors.ts'

/** Backward sweeps of the hang check (docs/soundness.md, "Hangs"): they add to states' bits those of their successors. */
export class Sweep {
  readonly #engine: Engine
  /** The bits that some verdict hangs on. */
  readonly #required: number
  /** Numbers of the states at hand, which are those of the group, and their bits. */
  readonly #indices = new Float64Array(GROUP)
  readonly #bits = new Int32Array(GROUP)
  /** By position in the batch: the state of the group it is a successor of. */
  readonly #parents = new Int32Array(PART)

  constructor(engine: Engine) {
    this.#engine = engine
    this.#required = movingBits(engine.system.actors) | restBit(engine.system.actors)
  }

  /**
   * Sweeps over up to a group of states; whether any bit was added. Actor after actor is asked for successors only as
   * long as bits are missing: most states need one or two.
   */
  run(from: number, to: number): boolean {
    const { successors, profile, reach, system } = this.#engine
    profile.start()
    successors.clear()
    for (let index = from; index < to; index++) {
      const bits = reach.get(index)
      if (bits === ALL_BITS) continue
      this.#indices[successors.count] = index
      this.#bits[successors.count] = bits
      successors.add(index)
    }
    for (let round = 0; round < system.actors.length; round++) this.#lookAhead(round)
    let hasChanged = false
    for (let i = 0; i < successors.count; i++) {
      const index = this.#indices[i] as number
      if (reach.get(index) === this.#bits[i]) continue
      reach.set(index, this.#bits[i] as number)
      hasChanged = true
    }
    profile.swept()
    return hasChanged
  }

  /** Adds to each incomplete state the bits of the states that one of its actors leads to. */
  #lookAhead(round: number): void {
    const { successors, system, table } = this.#engine
    const actors = system.actors.length
    successors.clearBatch()
    for (let i = 0; i < successors.count; i++) {
      if (this.#bits[i] === ALL_BITS) continue
      // not every state's same actor first: the ways are to meet all of them
      const actor = (round + (this.#indices[i] as number)) % actors
      const leaves = successors.stepsOfOne(i, actor)
      for (let at = 0; at < successors.found; at++) {
        const leaf = leaves[at] as number
        if (((table.words[leaf] as number) & (OUTCOME | IDLE)) !== STEP) continue
        this.#parents[successors.batch.count] = i
        successors.buildOne(i, actor, leaf)
        if (successors.batch.count === PART) this.#gather()
      }
    }
    this.#gather()
  }

  /** Adds the bits of the batch's states to those of the states they are successors of. */
  #gather(): void {
    const { successors, store, reach } = this.#engine
    const found = store.findAll(successors.batch)
    for (let k = 0; k < successors.batch.count; k++) {
      const target = (found[k] as number) >>> 0
      if (target === 0xffffffff) continue
      const i = this.#parents[k] as number
      const bits = (this.#bits[i] as number) | reach.get(target)
      // of what is complete nothing is to be claimed
      this.#bits[i] = (bits & this.#required) === this.#required ? ALL_BITS : bits
    }
    successors.clearBatch()
  }
}
