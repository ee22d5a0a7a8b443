import type { PersistentSets } from '../reductions/persistent-sets.ts'
import type { System } from '../state/system.ts'
import { IDLE, OUTCOME, STEP } from '../table/leaf.ts'
import { ALL_BITS, type StateWords, REST_BIT, movingBits, restBit } from '../store/state-words.ts'
import { PART } from '../store/batch.ts'
import type { StateStore } from '../store/state-store.ts'
import type { Profile } from '../successors/profile.ts'
import { GROUP, type Successors } from '../successors/successors.ts'
import type { Symmetry } from '../symmetry/symmetry.ts'
import type { StepTable } from '../table/step-table.ts'

/** Steps that a state wanders on, at most. */
const MAX_STEPS = 64

/** Places where it is noted how steps have served wanderers; steps share them. */
const FORTUNES = 1 << 12
/** How often in a row a step may disappoint, or serve, before more of it changes nothing. */
const MAX_FORTUNE = 3

/** What backward sweeps need of an engine. */
export interface SweepParts {
  readonly system: System
  readonly store: StateStore
  readonly stateWords: StateWords
  readonly table: StepTable
  readonly successors: Successors
  readonly profile: Profile
  /** Null: no members are renamed. */
  readonly symmetry: Symmetry | null
  /** Null: without partial-order reduction. */
  readonly persistentSets: PersistentSets | null
}

/** Backward sweeps of the hang check (docs/soundness.md, "Hangs"): they add to states' bits those of their successors. */
export class Sweep {
  readonly #parts: SweepParts
  /** The bits that some verdict hangs on. */
  readonly #required: number
  /** Numbers of the states at hand, which are those of the group, and their bits. */
  readonly #indices = new Float64Array(GROUP)
  readonly #bits = new Int32Array(GROUP)
  /** Steps that states may wander. */
  #patience = MAX_STEPS
  /** By position in the batch: the state of the group it is a successor of. */
  readonly #parents = new Int32Array(PART)
  /** By position in the batch: the number of the state there. */
  readonly #targets = new Float64Array(PART)
  /** By state of the group: numbers of the states that it came by, and how many. */
  readonly #ways = new Uint32Array(GROUP * MAX_STEPS)
  readonly #lengths = new Int32Array(GROUP)
  /** By leaf, modulo their number: above 0, the step mostly led to complete states; below, it mostly did not. */
  readonly #fortunes = new Int8Array(FORTUNES)
  /** By position in the batch: the step that was taken. */
  readonly #taken = new Int32Array(PART)

  constructor(parts: SweepParts) {
    this.#parts = parts
    this.#required = movingBits(parts.system.actors) | restBit(parts.system.actors)
  }

  /**
   * Lets every incomplete state of up to a group wander on at random until what it met on the way completes it, or for
   * some steps; every state on the way learns what came after it. Where all is well hardly anything is left to the sweeps
   * after that: whatever comes by a complete state is complete.
   */
  wander(from: number, to: number): boolean {
    const { successors, profile } = this.#parts
    profile.start()
    this.#gatherIncomplete(from, to)
    let left = successors.count
    this.#lengths.fill(0)
    for (let step = 0; step < this.#patience && left > 0; step++) left = this.#wanderOn(step)
    for (let i = 0; i < successors.count; i++) this.#tellWay(i)
    // where wandering leads nowhere it is soon given up, and taken up again where it does
    if (successors.count > 0)
      this.#patience =
        left * 2 > successors.count ? Math.max(1, this.#patience >> 1) : Math.min(MAX_STEPS, this.#patience << 1)
    const hasChanged = this.#note()
    profile.end('sweep')
    return hasChanged
  }

  /** Tells the states on the way of a wanderer what it met after them. */
  #tellWay(i: number): void {
    const { stateWords } = this.#parts
    let bits = 0
    for (let step = (this.#lengths[i] as number) - 1; step >= 0; step--) {
      const state = this.#ways[i * MAX_STEPS + step] as number
      const known = stateWords.get(state)
      bits = this.#completed(bits | known)
      if (bits !== known && known !== ALL_BITS) stateWords.set(state, bits)
    }
  }

  /** All bits where none that is required is missing: nothing is to be claimed then. */
  #completed(bits: number): number {
    return (bits & this.#required) === this.#required ? ALL_BITS : bits
  }

  /** One step of every state that is still incomplete; returns how many that were. */
  #wanderOn(step: number): number {
    const { successors, store } = this.#parts
    successors.clearBatch()
    for (let i = 0; i < successors.count; i++) if (this.#bits[i] !== ALL_BITS) this.#stepAtRandom(i, step)
    const { rows, count } = successors.batch
    const size = store.words
    for (let k = 0; k < count; k++) {
      const at = (this.#parents[k] as number) * size
      for (let word = 0; word < size; word++) successors.states[at + word] = rows[k * size + word] as number
    }
    this.#gather()
    for (let k = 0; k < count; k++) {
      const i = this.#parents[k] as number
      this.#ways[i * MAX_STEPS + (this.#lengths[i] as number)] = this.#targets[k] as number
      this.#lengths[i] = (this.#lengths[i] as number) + 1
      const fortune = (this.#taken[k] as number) % FORTUNES
      const known = this.#fortunes[fortune] as number
      this.#fortunes[fortune] =
        this.#bits[i] === ALL_BITS ? Math.min(MAX_FORTUNE, known + 1) : Math.max(-MAX_FORTUNE, known - 1)
    }
    return count
  }

  /** Builds one successor of the state that a wanderer has come to, if there is one: by a step that served others, or any. */
  #stepAtRandom(i: number, step: number): void {
    const { successors, system, table } = this.#parts
    const actors = system.actors.length
    const start = Math.imul((this.#indices[i] as number) + Math.imul(step, 0x9e3779b1), 0x85ebca6b) >>> 16
    let best = 0
    let fortune = -Infinity
    let who = 0
    for (let k = 0; k < actors && fortune < 0; k++) {
      const actor = (start + k) % actors
      const leaves = successors.stepsOfOne(i, actor)
      for (let at = 0; at < successors.found && fortune < 0; at++) {
        const leaf = leaves[(at + start) % successors.found] as number
        if (((table.words[leaf] as number) & (OUTCOME | IDLE)) !== STEP) continue
        const known = this.#fortunes[leaf % FORTUNES] as number
        if (known <= fortune) continue
        best = leaf
        fortune = known
        who = actor
      }
    }
    if (best === 0) return
    this.#parents[successors.batch.count] = i
    this.#taken[successors.batch.count] = best
    successors.buildOne(i, who, best)
  }

  /**
   * Sweeps over up to a group of states, `isChain` as long as that adds bits; whether any was added. Actor after actor is
   * asked for successors only as long as bits are missing: most states need one or two.
   */
  run(from: number, to: number, isChain: boolean): boolean {
    const { profile, system } = this.#parts
    profile.start()
    let hasChanged = false
    for (let isChanging = true; isChanging;) {
      this.#gatherIncomplete(from, to)
      for (let round = 0; round < system.actors.length; round++) this.#lookAhead(round)
      const isNew = this.#note()
      hasChanged ||= isNew
      isChanging = isNew && isChain
    }
    profile.end('sweep')
    return hasChanged
  }

  #gatherIncomplete(from: number, to: number): void {
    const { successors, stateWords } = this.#parts
    successors.clear()
    for (let index = from; index < to; index++) {
      const bits = stateWords.get(index)
      if (bits === ALL_BITS) continue
      this.#indices[successors.count] = index
      this.#bits[successors.count] = bits
      successors.add(index)
    }
  }

  /** Notes the bits found; whether any was new. */
  #note(): boolean {
    const { successors, stateWords } = this.#parts
    let hasChanged = false
    for (let i = 0; i < successors.count; i++) {
      const index = this.#indices[i] as number
      if (stateWords.get(index) === this.#bits[i]) continue
      stateWords.set(index, this.#bits[i] as number)
      hasChanged = true
    }
    return hasChanged
  }

  /** Adds to each incomplete state the bits of the states that one of its actors leads to. */
  #lookAhead(round: number): void {
    const { successors, system, table } = this.#parts
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

  /** The bits of a state of the batch, as the state that it is a successor of calls the actors. */
  #seenFrom(k: number, bits: number): number {
    const { symmetry, successors, system } = this.#parts
    if (!symmetry || bits === ALL_BITS) return bits
    const actors = system.actors.length
    let seen = bits & REST_BIT
    for (let actor = 0; actor < actors; actor++)
      seen |= ((bits >> (successors.images[k * actors + actor] as number)) & 1) << actor
    return seen
  }

  /** Adds the bits of the batch's states to those of the states they are successors of. */
  #gather(): void {
    const { successors, store, stateWords, persistentSets } = this.#parts
    const found = store.findAll(successors.batch)
    for (let k = 0; k < successors.batch.count; k++) {
      const target = (found[k] as number) >>> 0
      if (target === 0xffffffff) {
        if (!persistentSets) throw new Error('a successor of a stored state is not stored')
        continue // a reduced search stores one way out of several
      }
      this.#targets[k] = target
      const i = this.#parents[k] as number
      this.#bits[i] = this.#completed((this.#bits[i] as number) | this.#seenFrom(k, stateWords.get(target)))
    }
    successors.clearBatch()
  }
}
