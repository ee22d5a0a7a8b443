import type { Actor } from '../model/actor.ts'
import type { Cell } from './layout.ts'
import { GOES, IDLE, LEAF, OUTCOME, STEP, applyWrites } from './leaf.ts'
import { type LocalStates, PackingFullError } from './local-states.ts'
import { hashPart, hashState } from './state-hash.ts'
import { type Batch, PART, type StateStore, newBatch } from './state-store.ts'
import type { StepTable } from './step-table.ts'
import { Steps } from './steps.ts'
import type { Symmetry } from './symmetry/symmetry.ts'

/** States looked at together: enough that what is done once for all of them does not count. */
export const GROUP = 64

/** Bit of a state's facts that says that some leaf has an outcome: `HAS << outcome`. */
export const HAS = 1 << 16

/** A group of stored states, their steps, and the states these lead to. One object is filled again and again. */
export class Successors {
  /** The states, one after another. */
  states = new Int32Array(0)
  count = 0
  readonly steps: Steps
  /** By state: what the heads of its leaves have in common with `or`, outcomes as {@link HAS} bits. */
  readonly facts = new Int32Array(GROUP)
  /** By state: mask of the actors that are sure to move by some step. */
  readonly moving = new Int32Array(GROUP)
  /** By state: the actor whose steps alone are taken, or -1: those of all. */
  readonly only = new Int32Array(GROUP).fill(-1)
  /** The states that steps lead to, with their hashes; steps that change nothing are left out. */
  readonly batch: Batch = newBatch(0, 0)
  readonly #table: StepTable
  readonly #store: StateStore
  readonly #locals: LocalStates
  readonly #actors: readonly Actor[]
  readonly #one: Steps
  readonly #symmetry: Symmetry | null
  /** With symmetry, by state that {@link buildOne} built and actor: what the actor is called there. */
  readonly images: Int8Array

  constructor(table: StepTable, store: StateStore, locals: LocalStates, actors: readonly Actor[], symmetry: Symmetry | null) {
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
  }

  /** Gathers the states' facts, where no successors are built. */
  survey(): void {
    const { words } = this.#table
    const { facts, moving } = this
    const { starts, leaves } = this.steps
    const actors = this.#actors.length
    for (let i = 0, at = 0, start = 0; i < this.count; i++) {
      let fact = 0
      let moves = 0
      for (let actor = 0; actor < actors; actor++) {
        for (const end = starts[++start] as number; at < end; at++) {
          const head = words[leaves[at] as number] as number
          fact |= (head & ~OUTCOME) | (HAS << (head & OUTCOME))
          if (head & GOES) moves |= 1 << actor
        }
      }
      facts[i] = fact
      moving[i] = moves
    }
  }

  /**
   * Fills the batch with the states that steps lead to, and gathers facts on the way.
   * @throws PackingFullError when a local state's number does not fit
   */
  build(): void {
    const { batch, steps, states, facts, moving, only } = this
    const size = this.#store.words
    const { words } = this.#table
    const { starts, leaves } = steps
    if (batch.hashes.length < steps.count || batch.rows.length < steps.count * size) Object.assign(batch, newBatch(size, steps.count))
    const { rows, hashes } = batch
    const cells = this.#locals.packing.locals
    let count = 0
    let start = 0
    // Hot: once for every transition.
    for (let base = 0, end = this.count * size; base < end; base += size) {
      const hash = hashState(states, base, size)
      let fact = 0
      let moves = 0
      let actor = 1
      const alone = only[base / size] as number
      for (const { word, shift, mask } of cells) {
        for (let at = starts[start++] as number, last = starts[start] as number; at < last; at++) {
          const leaf = leaves[at] as number
          const head = words[leaf] as number
          fact |= (head & ~OUTCOME) | (HAS << (head & OUTCOME))
          if (head & GOES) moves |= actor
          if ((head & (OUTCOME | IDLE)) !== STEP || (alone >= 0 && actor !== 1 << alone)) continue
          const row = count * size
          for (let i = 0; i < size; i++) rows[row + i] = states[base + i] as number
          let next = hash
          for (let i = leaf + LEAF.writes, writesEnd = words[leaf + LEAF.writesEnd] as number; i < writesEnd; i += 3) {
            const changed = words[i] as number
            const before = rows[row + changed] as number
            const after = (before & (words[i + 1] as number)) | (words[i + 2] as number)
            next ^= hashPart(changed, before) ^ hashPart(changed, after)
            rows[row + changed] = after
          }
          const local = words[leaf + LEAF.local] as number
          if ((local & ~mask) !== 0) throw new PackingFullError('more local states than their bits can number')
          const before = rows[row + word] as number
          const after = (before & ~(mask << shift)) | (local << shift)
          hashes[count++] = next ^ hashPart(word, before) ^ hashPart(word, after)
          rows[row + word] = after
        }
        actor <<= 1
      }
      facts[base / size] = fact
      moving[base / size] = moves
    }
    batch.count = count
    if (this.#symmetry) this.#canonise(this.#symmetry, 0, false)
  }

  /** Replaces the states of the batch, from one on, by those of their orbits that are stored. */
  #canonise(symmetry: Symmetry, from: number, isNoted: boolean): void {
    const { rows, hashes, count } = this.batch
    const size = this.#store.words
    for (let i = from; i < count; i++) {
      const row = rows.subarray(i * size, (i + 1) * size)
      const image = symmetry.canonise(row)
      if (image !== null) hashes[i] = hashState(rows, i * size, size)
      if (!isNoted) continue
      for (let actor = 0; actor < this.#actors.length; actor++) this.images[i * this.#actors.length + actor] = image === null ? actor : symmetry.names.actor(actor, image)
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
    if (this.#symmetry) this.#canonise(this.#symmetry, batch.count - 1, true)
  }

  /** Empties the batch, with room for {@link PART} states. */
  clearBatch(): void {
    const size = this.#store.words
    if (this.batch.hashes.length < PART || this.batch.rows.length < PART * size) Object.assign(this.batch, newBatch(size, PART))
    this.batch.count = 0
  }
}

