import type { Actor } from '../../model/actor.ts'
import type { Cell } from '../state/layout.ts'
import { BLOCKED, GOES, HELD, IDLE, LEAF, MAY_GO, OUTCOME, STEP, applyWrites, leavesAsIs } from '../table/leaf.ts'
import { type LocalStates, PackingFullError } from '../state/local-states.ts'
import { hashPart, hashState } from '../store/state-hash.ts'
import type { StateStore } from '../store/state-store.ts'
import { type Batch, PART, newBatch } from '../store/batch.ts'
import type { StepTable } from '../table/step-table.ts'
import { Steps } from '../table/steps.ts'
import type { Symmetry } from '../symmetry/symmetry.ts'

/** States looked at together: enough that what is done once for all of them does not count. */
export const GROUP = 256

/** Bit of a state's facts that says that some leaf has an outcome: `HAS << outcome`. */
export const HAS = 1 << 16

/** That a single state lies beyond what is to be explored. */
const BEYOND = Uint8Array.of(1)

/** A group of stored states, their steps, and the states these lead to. One object is filled again and again. */
export class Successors {
  /** The states, one after another. */
  states = new Int32Array(0)
  count = 0
  readonly steps: Steps
  /** Steps that can be taken out of all of the states together. */
  transitions = 0
  /** By state: what the heads of its leaves have in common with `or`, outcomes as {@link HAS} bits. */
  readonly facts = new Int32Array(GROUP)
  /**
   * By state: mask of the actors that have a step that is progress: one that only reads and changes nothing is a spin; one
   * that reads nothing waits for nothing.
   */
  readonly moving = new Int32Array(GROUP)
  /** By state: the actor whose steps alone are taken, or -1: those of all. */
  readonly only = new Int32Array(GROUP).fill(-1)
  /** By state: mask of the actors whose steps are not built, because what they lead to is stored without (see `SleepSets`). */
  readonly asleep = new Int32Array(GROUP)
  /** By state: 1 where it lies beyond what the model says is to be explored; such a state has no steps. */
  readonly beyond = new Uint8Array(GROUP)
  /** Whether a state lies beyond what the model says is to be explored; null: none does. */
  bound: ((state: Int32Array) => boolean) | null = null
  /** The states that steps lead to, with their hashes; steps that change nothing are left out. */
  readonly batch: Batch = newBatch(0, 0)
  /** By position in the batch that {@link build} filled: state * actors + actor that took the step, and the step's leaf. */
  movers = new Int32Array(0)
  origins = new Int32Array(0)
  readonly #table: StepTable
  readonly #store: StateStore
  readonly #locals: LocalStates
  readonly #actors: readonly Actor[]
  readonly #one: Steps
  readonly #symmetry: Symmetry | null
  /** With symmetry, by position in the batch and actor: what the actor is called there. */
  images: Int8Array

  constructor(
    table: StepTable,
    store: StateStore,
    locals: LocalStates,
    actors: readonly Actor[],
    symmetry: Symmetry | null,
  ) {
    this.#table = table
    this.#symmetry = symmetry
    this.images = new Int8Array(symmetry ? PART * actors.length : 0)
    this.#store = store
    this.#locals = locals
    this.#actors = actors
    this.steps = new Steps(actors.length, GROUP)
    this.#one = new Steps(actors.length)
  }

  /** The words of one of the states. */
  state(i: number): Int32Array {
    const { words } = this.#store
    return this.states.subarray(i * words, (i + 1) * words)
  }

  /** Loads up to {@link GROUP} stored states. */
  load(from: number, to: number): void {
    this.clear()
    for (let index = from; index < to; index++) this.add(index)
  }

  /** Starts with no state. */
  clear(): void {
    this.#table.recycle()
    this.count = 0
    if (this.states.length !== GROUP * this.#store.words) this.states = new Int32Array(GROUP * this.#store.words)
  }

  /** Adds a stored state; there is room for {@link GROUP}. */
  add(index: number): void {
    this.#store.load(index, this.states, this.count++ * this.#store.words)
  }

  /** Finds the steps of the states. */
  walk(): void {
    this.#table.collect(this.states, this.count, this.#store.words, this.steps)
    if (this.bound === null) return
    for (let i = 0; i < this.count; i++) this.beyond[i] = this.bound(this.state(i)) ? 1 : 0
    this.steps.leaveOut(this.beyond, this.count)
  }

  /** Whether a state lies beyond what the model says is to be explored. */
  isBeyond(state: Int32Array): boolean {
    return this.bound !== null && this.bound(state)
  }

  /** Gathers the states' facts, who moves, and how many transitions lead out of them. */
  survey(): void {
    const { words } = this.#table
    const size = this.#store.words
    const { facts, moving, states, only } = this
    const { starts, leaves } = this.steps
    const actors = this.#actors.length
    let transitions = 0
    // Hot: once for every step and blocked attempt.
    for (let i = 0, at = 0, start = 0; i < this.count; i++) {
      let fact = 0
      let moves = 0
      const alone = only[i] as number
      for (let actor = 0; actor < actors; actor++) {
        for (const end = starts[++start] as number; at < end; at++) {
          const leaf = leaves[at] as number
          const head = words[leaf] as number
          fact |= (head & ~OUTCOME) | (HAS << (head & OUTCOME))
          if ((head & GOES) !== 0 || ((head & MAY_GO) !== 0 && !leavesAsIs(words, leaf, states, i * size)))
            moves |= 1 << actor
          if ((head & OUTCOME) !== BLOCKED && (alone < 0 || alone === actor)) transitions++
        }
      }
      facts[i] = fact
      moving[i] = moves
    }
    this.transitions = transitions
  }

  /**
   * Fills the batch with the states that steps lead to, those of sleeping actors left out.
   * @throws PackingFullError when a local state's number does not fit
   */
  build(): void {
    this.#grow(this.steps.count)
    const { batch, steps, states, only, asleep, movers, origins } = this
    const size = this.#store.words
    const { words } = this.#table
    const { starts, leaves } = steps
    const { rows, hashes } = batch
    const cells = this.#locals.packing.locals
    let count = 0
    let start = 0
    // Hot: once for every transition that may lead to a new state.
    for (let i = 0, base = 0; i < this.count; i++, base += size) {
      const hash = hashState(states, base, size)
      const alone = only[i] as number
      let sleeping = asleep[i] as number
      if (alone >= 0) sleeping |= ~(1 << alone)
      for (const { word, shift, mask } of cells) {
        const isAsleep = (sleeping & 1) !== 0
        sleeping >>>= 1
        const from = starts[start++] as number
        if (isAsleep) continue
        for (let at = from, last = starts[start] as number; at < last; at++) {
          const leaf = leaves[at] as number
          if (((words[leaf] as number) & (OUTCOME | IDLE)) !== STEP) continue
          movers[count] = start - 1
          origins[count] = leaf
          const row = count * size
          for (let k = 0; k < size; k++) rows[row + k] = states[base + k] as number
          for (let write = leaf + LEAF.writes, end = words[leaf + LEAF.writesEnd] as number; write < end; write += 3) {
            const changed = row + (words[write] as number)
            rows[changed] = ((rows[changed] as number) & (words[write + 1] as number)) | (words[write + 2] as number)
          }
          const local = words[leaf + LEAF.local] as number
          if ((local & ~mask) !== 0) throw new PackingFullError('more local states than their bits can number')
          rows[row + word] = ((rows[row + word] as number) & ~(mask << shift)) | (local << shift)
          let next = hash
          for (let k = 0; k < size; k++) {
            const before = states[base + k] as number
            const after = rows[row + k] as number
            if (before !== after) next ^= hashPart(k, before) ^ hashPart(k, after)
          }
          hashes[count++] = next
        }
      }
    }
    batch.count = count
    if (this.#symmetry) this.#canonise(this.#symmetry, 0)
  }

  #grow(steps: number): void {
    const size = this.#store.words
    if (this.batch.hashes.length < steps || this.batch.rows.length < steps * size)
      Object.assign(this.batch, newBatch(size, steps))
    if (this.movers.length >= steps) return
    this.movers = new Int32Array(steps)
    this.origins = new Int32Array(steps)
    if (this.#symmetry) this.images = new Int8Array(Math.max(steps, PART) * this.#actors.length)
  }

  /** Replaces the states of the batch, from one on, by those of their orbits that are stored. */
  #canonise(symmetry: Symmetry, from: number): void {
    const { rows, hashes, count } = this.batch
    const size = this.#store.words
    for (let i = from; i < count; i++) {
      const row = rows.subarray(i * size, (i + 1) * size)
      const image = symmetry.canonise(row)
      if (image !== null) hashes[i] = hashState(rows, i * size, size)
      for (let actor = 0; actor < this.#actors.length; actor++)
        this.images[i * this.#actors.length + actor] = image === null ? actor : symmetry.names.actor(actor, image)
    }
  }

  /** Whether an actor has finished in one of the states. */
  hasFinished(i: number, actor: number): boolean {
    const { locals, words } = this.#locals.packing
    const { word, shift, mask } = locals[actor] as Cell
    return (((this.states[i * words + word] as number) >>> shift) & mask) === 0
  }

  /** Whether an actor is blocked in one of the states, and only those who hold what it waits for could end that. */
  isHeld(i: number, actor: number): boolean {
    const { starts, leaves } = this.steps
    const leaf = leaves[starts[i * this.#actors.length + actor] as number] as number
    return ((this.#table.words[leaf] as number) & HELD) !== 0
  }

  /** Whether a step of an actor leaves one of the states as it is. */
  staysAt(i: number, actor: number, leaf: number): boolean {
    const { word, shift, mask } = this.#locals.packing.locals[actor] as Cell
    const size = this.#store.words
    const local = ((this.states[i * size + word] as number) >>> shift) & mask
    return (
      (this.#table.words[leaf + LEAF.local] as number) === local &&
      leavesAsIs(this.#table.words, leaf, this.states, i * size)
    )
  }

  /** Whether in one of the states some blocked actors wait for each other only, or for one that has finished. */
  mayHaveWaitCycle(i: number): boolean {
    const { starts, leaves } = this.steps
    const { words } = this.#table
    const actors = this.#actors.length
    let finished = 0
    for (let actor = 0; actor < actors; actor++) if (this.hasFinished(i, actor)) finished |= 1 << actor
    for (let waiting = -1; ;) {
      let left = 0
      for (let actor = 0; actor < actors; actor++) {
        const leaf = leaves[starts[i * actors + actor] as number] as number
        const holders = ((words[leaf] as number) & HELD) === 0 ? 0 : (words[leaf + LEAF.holders] as number)
        if ((holders & (waiting | finished)) !== 0) left |= 1 << actor
      }
      if (left === waiting || left === 0) return left !== 0
      waiting = left
    }
  }

  /** The number of the stored state that a state is, or is renamed to; -1: it is not stored. */
  find(state: Int32Array): number {
    if (!this.#symmetry) return this.#store.find(state)
    const copy = state.slice()
    this.#symmetry.canonise(copy)
    return this.#store.find(copy)
  }

  /** The leaves of one actor in one of the states; valid until the next call. */
  stepsOfOne(i: number, actor: number): Int32Array {
    const { words } = this.#store
    this.#one.count = 0
    this.#table.collectOne(actor, this.states, i * words, words, this.#one)
    return this.#one.leaves
  }

  /** How many leaves {@link stepsOfOne} found. */
  get found(): number {
    return this.#one.count
  }

  /** Calls `visit` with each step of any state that leads on, and the state it leads to (valid during the call). */
  forEach(state: Int32Array, visit: (actor: Actor, leaf: number, next: Int32Array) => void): void {
    const next = new Int32Array(state.length)
    this.stepsOf(state)
    for (const actor of this.#actors) {
      for (const leaf of this.#one.of(actor.id)) {
        if (((this.#table.words[leaf] as number) & OUTCOME) !== STEP) continue
        next.set(state)
        this.apply(leaf, actor.id, next)
        visit(actor, leaf, next)
      }
    }
  }

  /** The steps of any state; valid until the next call. */
  stepsOf(state: Int32Array): Steps {
    this.#table.recycle()
    this.#table.collect(state, 1, state.length, this.#one)
    if (this.isBeyond(state)) this.#one.leaveOut(BEYOND, 1)
    return this.#one
  }

  /** Takes a step on a state in place. */
  apply(leaf: number, actor: number, state: Int32Array): void {
    applyWrites(this.#table.words, leaf, state)
    this.#locals.set(state, actor, this.#table.words[leaf + LEAF.local] as number)
  }

  /** One of the steps of a loaded state, taken: its result as a state of the batch. */
  buildOne(i: number, actor: number, leaf: number): void {
    const { batch, states } = this
    const { rows } = batch
    const { words } = this.#table
    const { word, shift, mask } = this.#locals.packing.locals[actor] as Cell
    const size = this.#store.words
    const row = batch.count * size
    for (let k = 0; k < size; k++) rows[row + k] = states[i * size + k] as number
    for (let at = leaf + LEAF.writes, end = words[leaf + LEAF.writesEnd] as number; at < end; at += 3) {
      const changed = row + (words[at] as number)
      rows[changed] = ((rows[changed] as number) & (words[at + 1] as number)) | (words[at + 2] as number)
    }
    const local = words[leaf + LEAF.local] as number
    if ((local & ~mask) !== 0) throw new PackingFullError('a local state that no stored state has')
    rows[row + word] = ((rows[row + word] as number) & ~(mask << shift)) | (local << shift)
    batch.hashes[batch.count++] = hashState(rows, row, size)
    if (this.#symmetry) this.#canonise(this.#symmetry, batch.count - 1)
  }

  /** Empties the batch, with room for {@link PART} states. */
  clearBatch(): void {
    const size = this.#store.words
    if (this.batch.hashes.length < PART || this.batch.rows.length < PART * size)
      Object.assign(this.batch, newBatch(size, PART))
    this.batch.count = 0
  }
}
