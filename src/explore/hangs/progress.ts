import type { Actor } from '../../model/actor.ts'
import { FAULT, HELD, STEP } from '../table/leaf.ts'
import { ALL_BITS, REST_BIT, movingBits, restBit } from '../store/state-words.ts'
import type { StoredStateView } from '../successors/state-view.ts'
import { HAS, type Successors } from '../successors/successors.ts'
import type { System } from '../state/system.ts'

/** Tells of expanded states which actors can move in them, for the hang check (docs/soundness.md, "Hangs"). */
export class ActorProgress {
  readonly #system: System
  readonly #successors: Successors
  readonly #view: StoredStateView
  readonly #settles: boolean
  readonly #required: number
  readonly #rest: number
  /** Masks of the actors that must be able to move, and of those that must finish. */
  readonly #moves: number
  readonly #mustFinish: number
  readonly #handlers: number

  /** @param settles whether states that are findings already count as complete */
  constructor(system: System, successors: Successors, view: StoredStateView, settles: boolean) {
    this.#system = system
    this.#successors = successors
    this.#view = view
    this.#settles = settles
    this.#rest = restBit(system.actors)
    this.#moves = movingBits(system.actors)
    this.#mustFinish = system.actors
      .filter(({ mustFinish }) => mustFinish)
      .reduce((mask, { id }) => mask | (1 << id), 0)
    this.#handlers = system.actors
      .filter(({ kind }) => kind === 'handler')
      .reduce((mask, { id }) => mask | (1 << id), 0)
    this.#required = this.#moves | this.#rest
  }

  /** Bits of a state of the group from what its own actors can do. */
  bits(i: number): number {
    // of those beyond what is to be explored nothing is claimed
    if (this.#successors.beyond[i] === 1) return ALL_BITS
    if (this.#settles && this.#isSettled(i)) return ALL_BITS
    // a handler that moves has not come to its end
    const moving = (this.#successors.moving[i] as number) & ~this.#handlers
    let bits = moving
    for (let missing = this.#moves & ~moving; missing !== 0; missing &= missing - 1) {
      const id = 31 - Math.clz32(missing & -missing)
      if (this.#stands(i, id)) bits |= 1 << id
    }
    if (this.#rest !== 0 && (moving & this.#mustFinish) === 0 && this.#isResting(i)) bits |= REST_BIT
    return (bits & this.#required) === this.#required ? ALL_BITS : bits
  }

  /** Whether an actor that cannot move has finished, is a handler that is not running, or a daemon that waits for work rather than for a holder. */
  #stands(i: number, id: number): boolean {
    if (this.#successors.hasFinished(i, id)) return true
    const actor = this.#system.actors[id] as Actor
    if (actor.kind === 'handler') return !this.#view.isHandling(this.#successors.state(i), actor)
    return actor.daemon && !this.#successors.isHeld(i, id)
  }

  #isResting(i: number): boolean {
    for (let left = this.#mustFinish; left !== 0; left &= left - 1)
      if (!this.#successors.hasFinished(i, 31 - Math.clz32(left & -left))) return false
    return true
  }

  /**
   * Whether nothing is to be claimed of a state by looking ahead: what lies beyond a fault is not explored, and one
   * where no one can move or a cycle of waits has closed is a finding already, of which its predecessors are no news.
   */
  #isSettled(i: number): boolean {
    const fact = this.#successors.facts[i] as number
    if ((fact & (HAS << FAULT)) !== 0) return true
    const isTerminal = (fact & (HAS << STEP)) === 0
    if (!isTerminal && ((fact & HELD) === 0 || !this.#successors.mayHaveWaitCycle(i))) return false
    const view = this.#view
    view.show(this.#successors.state(i), this.#successors.steps, i, false)
    if (isTerminal && this.#system.actors.some((actor) => !view.mayStand(actor))) return true
    return view.waitCycle().length > 0
  }
}
