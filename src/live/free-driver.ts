import { RandomSource } from '../semantics/random-source.ts'
import type { Driver } from './driver.ts'
import type { Roster } from './memory/roster.ts'

/** How a free run is disturbed. */
export interface Jitter {
  /** Milliseconds that a delay lasts at most. */
  readonly longest: number
  /** Of so many points, one is delayed. */
  readonly oneIn: number
}

/** Of so many releases, one has its invariants looked at in a run at full speed. */
const SAMPLING = 64

/** Lets an actor run as fast as its thread does; with jitter, it is held up now and then. */
export class FreeDriver implements Driver {
  readonly isWatched = false
  readonly sampling: number
  readonly #roster: Roster
  readonly #random: RandomSource
  readonly #jitter: Jitter | null
  readonly #clock = new Int32Array(new SharedArrayBuffer(4))
  /** Steps that an actor may take in a round; of actors that need not finish. */
  readonly #most: number
  #steps = 0

  /**
   * @param seed of the delays and of the alternatives taken
   * @param most steps after which the actor calls the round over; Infinity: it finishes
   */
  constructor(roster: Roster, seed: number, jitter: Jitter | null, most: number) {
    this.#roster = roster
    this.#random = new RandomSource(seed)
    this.#jitter = jitter
    this.#most = most
    this.sampling = jitter ? 1 : SAMPLING
  }

  begin(): void {
    this.#steps = 0
  }

  pass(): void {
    if (this.#jitter && this.#random.below(this.#jitter.oneIn) === 0)
      Atomics.wait(this.#clock, 0, 0, (this.#random.below(1000) / 1000) * this.#jitter.longest)
    if (++this.#steps > this.#most) this.#roster.callOver()
    this.#roster.pass()
  }

  done(): void {}

  blocked(): void {}

  choose(n: number): number {
    return this.#random.below(n)
  }

  beforeAccess(): void {}
}
