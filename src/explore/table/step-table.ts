import type { Fault } from '../../model/memory.ts'
import { Arena, type ArenaBuffers, arenaUse } from './arena.ts'
import { type Dependence, nextScript } from '../step/step-record.ts'
import { LabelStatistics } from './label-statistics.ts'
import type { Cell } from '../state/layout.ts'
import { LEAF, type LeafParts, leafChoices, leafSize, writeLeaf } from './leaf.ts'
import { LeafMaker, type LeafMakerParts } from './leaf-maker.ts'
import { PassingLeaves } from './passing-leaves.ts'
import { growPath, isGivenUp } from './step-path.ts'
import { CHOICE, DIRECT, addAlternatives, descend, growRead, readSlot } from './step-tree.ts'
import { extraRoot, rootOf } from './step-roots.ts'
import { StepChecks, type StepChecksParts } from './step-checks.ts'
import { StepExecution, type StepExecutionParts } from './step-execution.ts'
import type { Steps } from './steps.ts'
import type { Counterpart } from '../symmetry/guard.ts'

/** How a step is taken: `placed`, it waits for the actor's CPU; `unplaced`, as if the actor had it. */
const FOREST = { placed: 0, unplaced: 1 } as const

/** What a step table is made with. */
export interface StepTableParts extends LeafMakerParts, StepExecutionParts, StepChecksParts {
  readonly arena: ArenaBuffers
  /** Most local states of an actor. */
  readonly localStates: number
  /** Records of a label before the table may give it up. */
  readonly patience: number
}

/**
 * The steps known so far: for each actor and local state a decision tree over the values read and the alternatives
 * taken, shared by all threads. The model's code runs once for each path of a tree; from then on the step is a walk.
 */
export class StepTable {
  /** The arena's words, in which leaves lie. */
  readonly words: Int32Array
  readonly #parts: StepTableParts
  readonly #arena: Arena
  readonly #leaves: LeafMaker
  readonly #execution: StepExecution
  readonly #checks: StepChecks
  readonly #labels: LabelStatistics
  readonly #faults = new Map<number, Fault>()
  /** By actor: word, shift and mask of its local state, and root of its trees. */
  readonly #places: Int32Array
  /** Leaves of steps that are executed each time. */
  readonly #passing: PassingLeaves
  #recorded = 0
  #executed = 0

  constructor(parts: StepTableParts) {
    this.#parts = parts
    this.#arena = new Arena(parts.arena)
    this.words = this.#arena.words
    this.#leaves = new LeafMaker(parts)
    this.#execution = new StepExecution(parts)
    this.#checks = new StepChecks(parts)
    this.#passing = new PassingLeaves(this.#arena)
    this.#labels = new LabelStatistics(parts.patience)
    this.#places = new Int32Array(parts.actors.length * 4)
    this.place()
  }

  /** Looks where the actors' local states lie now; call when states were packed again. */
  place(): void {
    const { actors, locals } = this.#parts
    for (const { id } of actors) {
      const { word, shift, mask } = locals.packing.locals[id] as Cell
      this.#places.set([word, shift, mask, this.#root(FOREST.placed, id, 0)], id * 4)
    }
  }

  /** Steps that this thread added to the table. */
  get recorded(): number {
    return this.#recorded
  }

  /** Steps that this thread executed without adding them. */
  get executed(): number {
    return this.#executed
  }

  /** Milliseconds spent in the model's code. */
  get executing(): number {
    return this.#execution.milliseconds
  }

  /** Bytes in use, by all threads. */
  get bytes(): number {
    const { arena, actors, localStates } = this.#parts
    return (arenaUse(arena) - extraRoot(actors.length, localStates)) * 4
  }

  /**
   * Finds the steps and blocked attempts of every actor in some states.
   *
   * @param states one after another
   * @param count how many
   * @param size words of a state
   */
  collect(states: Int32Array, count: number, size: number, steps: Steps): void {
    const { words } = this
    const places = this.#places
    const { starts } = steps
    let start = 0
    let found = 0
    let leaves = steps.makeRoom((count * places.length) / 4)
    // The hottest loop of the checker, {@link collectOne} written out: it touches typed arrays only, and leaves them for
    // what is not known, or behind two choices.
    for (let base = 0, end = count * size; base < end; base += size) {
      for (let at = 0; at < places.length; at += 4) {
        starts[start++] = found
        const slot =
          (places[at + 3] as number) +
          (((states[base + (places[at] as number)] as number) >>> (places[at + 1] as number)) &
            (places[at + 2] as number))
        const node = descend(words, words[slot] as number, states, base)
        if (node < 0) {
          leaves[found++] = -node
          continue
        }
        if (node > 0 && words[node] === CHOICE) {
          leaves = steps.makeRoom(found + (words[node + 1] as number) + (count * places.length) / 4)
          const before = found
          found = addAlternatives(words, node, states, base, leaves, found)
          if (found > before) continue
        }
        steps.count = found
        this.collectOne(at >> 2, states, base, size, steps)
        found = steps.count
        leaves = steps.makeRoom(found + (count * places.length) / 4)
      }
    }
    starts[start] = found
    steps.count = found
  }

  /** Adds the steps and blocked attempts of one actor in the state that begins at `base`. */
  collectOne(actor: number, states: Int32Array, base: number, size: number, steps: Steps): void {
    const { words } = this
    const places = this.#places
    const at = actor << 2
    const slot =
      (places[at + 3] as number) +
      (((states[base + (places[at] as number)] as number) >>> (places[at + 1] as number)) & (places[at + 2] as number))
    const node = descend(words, words[slot] as number, states, base)
    if (node < 0) steps.add(-node)
    else if (node === 0 || words[node] !== CHOICE || !this.#addLeaves(node, states, base, steps))
      this.#finish(FOREST.placed, actor, slot, states.subarray(base, base + size), steps)
  }

  /** Adds the leaves of all alternatives of a choice, if they are near. */
  #addLeaves(node: number, states: Int32Array, base: number, steps: Steps): boolean {
    const { count } = steps
    steps.count = addAlternatives(
      this.words,
      node,
      states,
      base,
      steps.makeRoom(count + (this.words[node + 1] as number)),
      count,
    )
    return steps.count > count
  }

  /** Leaves found so far are not needed any more, as far as they are of steps that are executed each time. */
  recycle(): void {
    this.#passing.recycle()
  }

  /** Whether a leaf is of a step that is executed each time: soon something else lies there. */
  isPassing(leaf: number): boolean {
    return this.#passing.has(leaf)
  }

  /** Leaves of one actor's steps in a state. */
  stepsOf(actor: number, state: Int32Array, steps: Steps): Int32Array {
    return this.#stepsOf(FOREST.placed, actor, state, steps)
  }

  /** The same as if the actor had its CPU, even if another one has it: its next step, for the race check. */
  unplacedStepsOf(actor: number, state: Int32Array, steps: Steps): Int32Array {
    return this.#stepsOf(FOREST.unplaced, actor, state, steps)
  }

  /** Why a step ends in a fault. */
  fault(actor: number, state: Int32Array, leaf: number): Fault {
    const known = this.#faults.get(leaf)
    if (known) return known
    const { fault } = this.#execution.run(actor, state, leafChoices(this.words, leaf), true)
    if (!fault) throw this.#parts.executor.unstable()
    if (this.#executed === 0) this.#faults.set(leaf, fault) // else the leaf may be another one's later
    return fault
  }

  /** Takes one state's leaves as a sample of what is asked for, to tell which labels the table serves. */
  sample(leaves: Int32Array, weight: number): void {
    for (const leaf of leaves) this.#labels.asked(this.words[leaf + LEAF.site] as number, weight)
  }

  #stepsOf(forest: number, actor: number, state: Int32Array, steps: Steps): Int32Array {
    steps.count = 0
    this.#finish(forest, actor, this.#root(forest, actor, this.#parts.locals.id(state, actor)), state, steps)
    return steps.leaves.subarray(0, steps.count)
  }

  #root(forest: number, actor: number, local: number): number {
    const { actors, localStates } = this.#parts
    return rootOf(forest * actors.length + actor, localStates, local)
  }

  /** Goes on from a slot wherever the hot loop could not. */
  #finish(forest: number, actor: number, slot: number, state: Int32Array, steps: Steps): void {
    const before = steps.count
    if (this.#walk(forest, actor, slot, state, [], steps)) return
    steps.count = before
    this.#direct(forest, actor, state, steps)
  }

  /** Adds the leaves below a slot; false where steps from the local state are not recorded. */
  #walk(
    forest: number,
    actor: number,
    from: number,
    state: Int32Array,
    script: readonly number[],
    steps: Steps,
  ): boolean {
    const { words } = this
    let slot = from
    for (;;) {
      if (slot === 0) return false
      const node = (words[slot] as number) || this.#learn(forest, actor, slot, state, script)
      if (node < 0) {
        steps.add(-node)
        return true
      }
      const head = node === 0 ? DIRECT : (words[node] as number)
      if (head === DIRECT) return false
      if (head === CHOICE) {
        for (let i = 0; i < (words[node + 1] as number); i++)
          if (!this.#walk(forest, actor, node + 2 + i, state, [...script, i], steps)) return false
        return true
      }
      slot = readSlot(words, node, state) || this.#learnValue(forest, actor, node, state, script)
    }
  }

  /** What an empty slot holds once the step was recorded; 0 where it is not. */
  #learn(forest: number, actor: number, slot: number, state: Int32Array, script: readonly number[]): number {
    const isKept = this.#record(forest, actor, state, script)
    const node = this.words[slot] as number
    if (node === 0 && isKept) throw this.#parts.executor.unstable()
    return node
  }

  /** The slot for a value not seen before once the step was recorded; 0 where it is not. */
  #learnValue(forest: number, actor: number, node: number, state: Int32Array, script: readonly number[]): number {
    const isKept = this.#record(forest, actor, state, script)
    const slot = readSlot(this.words, node, state)
    if (slot === 0 && isKept) throw this.#parts.executor.unstable()
    return slot
  }

  /** Runs the model's code and adds what it did to a tree; false when the steps from this local state are not recorded. */
  #record(forest: number, actor: number, state: Int32Array, script: readonly number[]): boolean {
    const isPlaced = forest === FOREST.placed
    const record = this.#execution.run(actor, state, script, isPlaced)
    this.#recorded++
    this.#checks.again(this.#labels.recorded(record.site), record, () =>
      this.#execution.run(actor, state, script, isPlaced),
    )
    const { further, counterparts } = this.#checks.renamed(actor, state, isPlaced, record)
    const local = this.#parts.locals.id(state, actor)
    const root = this.#root(forest, actor, local)
    const dependences = further.length === 0 ? record.dependences : [...record.dependences, ...further]
    const isHopeless = this.#labels.isHopeless(record.site)
    if (!isHopeless) for (const counterpart of counterparts) this.#add(forest, counterpart)
    const keeps = !isHopeless || this.#keepsFirst(root, dependences)
    return keeps && this.#insert(root, dependences, this.#leaves.parts(actor, record, local))
  }

  /** Records a step that was taken to check another one: no step of those that renaming makes of each other is taken twice. */
  #add(forest: number, { actor, code, record }: Counterpart): void {
    const local = this.#parts.locals.intern(actor.id, code)
    const root = this.#root(forest, actor.id, local)
    if (!isGivenUp(this.words, root))
      this.#insert(root, record.dependences, this.#leaves.parts(actor.id, record, local))
  }

  /**
   * Of a label that is given up only what is read first is told apart: a step that depends on nothing else is recorded, as
   * a thread often finds out by one look that it has to wait. Others are executed each time from here on.
   *
   * @returns whether the step is one of those that are recorded
   */
  #keepsFirst(root: number, dependences: readonly Dependence[]): boolean {
    const { layout } = this.#parts
    const [first] = dependences
    if (first === undefined && !this.#labels.keepsNone) return true
    const cell = first?.on === 'field' ? (layout.cells[first.field.id] as Cell) : null
    if (first?.on !== 'field' || cell === null || cell.rest !== null || this.#labels.keepsNone) {
      this.#giveUp(root)
      return false
    }
    if (dependences.length === 1) return true
    const slot = isGivenUp(this.words, root) ? 0 : growRead(this.#arena, root, cell, first.raw & cell.mask)
    if (slot !== 0 && (this.words[slot] as number) < 0) throw this.#parts.executor.unstable()
    if (slot !== 0 && !isGivenUp(this.words, slot)) this.#giveUp(slot)
    return false
  }

  /** From here on the steps below a slot are executed each time. */
  #giveUp(slot: number): void {
    const node = this.#arena.allocate(1)
    this.words[node] = DIRECT
    Atomics.store(this.words, slot, node)
  }

  /** Adds a leaf to a tree; false where the steps are executed each time: this or another thread may have given them up. */
  #insert(root: number, dependences: readonly Dependence[], parts: LeafParts): boolean {
    const { executor, layout } = this.#parts
    const slot = growPath(this.#arena, layout.cells, root, dependences)
    if (slot < 0) throw executor.unstable()
    if (slot === 0) return false
    const leaf = this.#arena.allocate(leafSize(parts))
    writeLeaf(this.words, leaf, parts)
    if (this.#arena.publish(slot, -leaf) <= 0) return true
    if (!isGivenUp(this.words, slot)) throw executor.unstable()
    return false
  }

  /** Executes every alternative of a step, for leaves that no one keeps. */
  #direct(forest: number, actor: number, state: Int32Array, steps: Steps): void {
    let script: number[] | null = []
    while (script) {
      const record = this.#execution.runFrom(actor, state, script, forest === FOREST.placed)
      this.#executed++
      this.#checks.renamed(actor, state, forest === FOREST.placed, record)
      const parts = this.#leaves.parts(actor, record, this.#parts.locals.id(state, actor))
      const leaf = this.#passing.place(leafSize(parts))
      writeLeaf(this.words, leaf, parts)
      steps.add(leaf)
      script = nextScript(record)
    }
  }
}
