import type { Actor } from '../model/actor.ts'
import type { Fault } from '../model/memory.ts'
import type { PrimitiveClass } from '../model/operation.ts'
import type { Executor, StepRecord } from './executor.ts'
import type { Interner } from './interner.ts'
import { schedulingFields } from './dispatch.ts'
import { type Cell, type Layout, localWord, readCell } from './layout.ts'

/** What one step does in every state in which its dependences are the same. */
export interface Leaf {
  readonly outcome: StepRecord['outcome']
  /** Triples: word, bits to clear, bits to set; the new local state is one of them. */
  readonly writes: Int32Array
  /** Triples of the operation that the step began with. */
  readonly firstWrites: Int32Array
  readonly fault: Fault | null
  readonly first: PrimitiveClass | 'plain'
  /** Field id * 2, + 1 for a write (see StepRecord). */
  readonly plain: readonly number[]
  readonly atomic: readonly number[]
  readonly looped: boolean
  /** Whether its course depended on shared memory, who runs where apart. */
  readonly reads: boolean
  /** Whether it changes anything but who runs where. */
  readonly moves: boolean
  readonly choices: readonly number[]
  /** Of a blocked attempt: mask of the actors that alone could end the wait. */
  readonly holders: number
  /** Number of the leaf, for caches of this thread; follows the order of discovery. */
  readonly id: number
}

/** A decision: the value of a cell, or an alternative. */
interface Branch {
  readonly kind: 'read' | 'choice'
  readonly cell: Cell | null
  /** Alternatives of a choice. */
  readonly n: number
  readonly children: Map<number, Branch | Leaf>
}

type Tree = Branch | Leaf

/** The trees of every actor, by local state. */
interface Forest {
  readonly roots: (Tree | undefined)[][]
  /** Whether steps wait for the actor's CPU, or are taken as if it had it. */
  readonly isPlaced: boolean
}

/** Runs of each record beyond the first are checked again one time in this many. */
const RECHECK = 16

/**
 * The steps known so far: for each actor and local state a decision tree over the values read and the alternatives
 * taken. The model's code runs once for each path of a tree. One a thread.
 */
export class StepTable {
  readonly #executor: Executor
  readonly #interner: Interner
  readonly #layout: Layout
  readonly #placed: Forest
  readonly #unplaced: Forest
  readonly #scheduling: ReturnType<typeof schedulingFields>
  #recorded = 0
  #leaves = 0

  constructor(executor: Executor, interner: Interner, layout: Layout, actors: readonly Actor[]) {
    this.#executor = executor
    this.#interner = interner
    this.#layout = layout
    this.#placed = { roots: Array.from({ length: layout.actors }, () => []), isPlaced: true }
    this.#unplaced = { roots: Array.from({ length: layout.actors }, () => []), isPlaced: false }
    this.#scheduling = schedulingFields(actors)
  }

  /** Steps for which the model's code ran. */
  get recorded(): number {
    return this.#recorded
  }

  /** Calls `visit` for each step that an actor can take, or for its one blocked attempt, in order of alternatives. */
  forEachStep(actor: Actor, words: Int32Array, visit: (leaf: Leaf) => void): void {
    this.#steps(this.#placed, actor, words, visit)
  }

  /** The same as if the actor had its CPU, whoever has it: what it would do next, for the race check. */
  forEachStepUnplaced(actor: Actor, words: Int32Array, visit: (leaf: Leaf) => void): void {
    this.#steps(this.#unplaced, actor, words, visit)
  }

  #steps(forest: Forest, actor: Actor, words: Int32Array, visit: (leaf: Leaf) => void): void {
    const roots = forest.roots[actor.id] as (Tree | undefined)[]
    const local = words[localWord(this.#layout, actor.id)] as number
    const root = roots[local] ?? (roots[local] = this.#record(forest, actor, words, [], null))
    this.#walk(forest, root, actor, words, [], visit)
  }

  #walk(forest: Forest, tree: Tree, actor: Actor, words: Int32Array, choices: number[], visit: (leaf: Leaf) => void): void {
    let at = tree
    while ('children' in at && at.kind === 'read') at = this.#child(forest, at, readCell(words, at.cell as Cell), actor, words, choices)
    if (!('children' in at)) {
      visit(at)
      return
    }
    for (let i = 0; i < at.n; i++) {
      const taken = [...choices, i]
      this.#walk(forest, this.#child(forest, at, i, actor, words, taken), actor, words, taken, visit)
    }
  }

  #child(forest: Forest, branch: Branch, key: number, actor: Actor, words: Int32Array, script: readonly number[]): Tree {
    let child = branch.children.get(key)
    if (!child) {
      this.#record(forest, actor, words, script, forest.roots[actor.id]?.[words[localWord(this.#layout, actor.id)] as number] as Tree)
      child = branch.children.get(key)
      if (!child) throw this.#executor.unstable()
    }
    return child
  }

  /** Runs the model's code and adds what it did to a tree. */
  #record({ isPlaced }: Forest, actor: Actor, words: Int32Array, script: readonly number[], root: Tree | null): Tree {
    const local = words[localWord(this.#layout, actor.id)] as number
    const record = this.#executor.execute(actor, this.#interner.blob(local), words, script, isPlaced)
    if (this.#recorded++ < 64 || this.#recorded % RECHECK === 0) {
      const again = this.#executor.execute(actor, this.#interner.blob(local), words, script, isPlaced)
      if (!sameCourse(record, again)) throw this.#executor.unstable()
    }
    return this.#insert(root, record, this.#leaf(actor, record, local))
  }

  #insert(root: Tree | null, record: StepRecord, leaf: Leaf): Tree {
    let top = root
    let parent: Branch | null = null
    let key = 0
    for (const dependence of record.dependences) {
      let node: Tree | null | undefined = parent ? parent.children.get(key) : top
      if (!node) {
        node = {
          kind: dependence.on === 'field' ? 'read' : 'choice',
          cell: dependence.on === 'field' ? (this.#layout.cells[dependence.field.id] as Cell) : null,
          n: dependence.on === 'choice' ? dependence.n : 0,
          children: new Map(),
        }
        if (parent) parent.children.set(key, node)
        else top = node
      }
      if (!('children' in node)) throw this.#executor.unstable()
      parent = node
      key = dependence.on === 'field' ? dependence.raw : dependence.taken
    }
    if (!parent) return leaf
    parent.children.set(key, leaf)
    return top as Tree
  }

  #leaf(actor: Actor, record: StepRecord, before: number): Leaf {
    const { moved, all } = this.#scheduling
    const writes = masks(record.writes, this.#layout)
    const after = record.local ? this.#interner.intern(record.local) : before
    if (record.local) writes.push(localWord(this.#layout, actor.id), -1, after)
    return {
      outcome: record.outcome,
      writes: Int32Array.from(writes),
      firstWrites: Int32Array.from(masks(record.firstWrites, this.#layout)),
      fault: record.fault,
      first: record.first,
      plain: [...new Set(record.plain)],
      atomic: [...new Set(record.atomic)],
      looped: record.looped,
      reads: record.dependences.some((dependence) => dependence.on === 'field' && !all.has(dependence.field.id)),
      moves: after !== before || [...record.writes.keys()].some((id) => !moved.has(id)),
      choices: record.dependences.flatMap((dependence) => (dependence.on === 'choice' ? [dependence.taken] : [])),
      holders: record.holders,
      id: this.#leaves++,
    }
  }
}

/** Writes as triples of word, bits to clear and bits to set, at most one a word. */
function masks(writes: ReadonlyMap<number, number>, layout: Layout): number[] {
  const byWord = new Map<number, [clear: number, set: number]>()
  for (const [id, raw] of writes) {
    const { word, shift, mask } = layout.cells[id] as Cell
    const pair = byWord.get(word) ?? [0, 0]
    byWord.set(word, [pair[0] | (mask << shift), (pair[1] & ~(mask << shift)) | ((raw & mask) << shift)])
  }
  return [...byWord].flatMap(([word, [clear, set]]) => [word, clear, set])
}

/** Applies masked writes to a copy of a state. */
export function applyWrites(from: Int32Array, writes: Int32Array, to: Int32Array): void {
  to.set(from)
  for (let i = 0; i < writes.length; i += 3) {
    const word = writes[i] as number
    to[word] = ((to[word] as number) & ~(writes[i + 1] as number)) | (writes[i + 2] as number)
  }
}

function sameCourse(a: StepRecord, b: StepRecord): boolean {
  return (
    a.outcome === b.outcome &&
    a.fault?.message === b.fault?.message &&
    a.dependences.length === b.dependences.length &&
    a.dependences.every((one, i) => sameDependence(one, b.dependences[i] as never)) &&
    sameNumbers(a.local ?? [], b.local ?? []) &&
    sameNumbers([...a.writes].flat(), [...b.writes].flat())
  )
}

function sameDependence(a: StepRecord['dependences'][number], b: StepRecord['dependences'][number]): boolean {
  return a.on === 'field' ? b.on === 'field' && a.field === b.field && a.raw === b.raw : b.on === 'choice' && a.n === b.n && a.taken === b.taken
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}
