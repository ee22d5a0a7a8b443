import type { Actor } from '../model/actor.ts'
import type { Check, Finding } from '../model/check.ts'
import { VIOLATION_KINDS } from '../model/verdict.ts'
import type { Interner } from './interner.ts'
import { hasFinished, localWord } from './layout.ts'
import type { StateStore } from './state-store.ts'
import type { StoredStateView } from './state-view.ts'
import { type Leaf, type StepTable, applyWrites } from './step-table.ts'
import type { System } from './system.ts'

/** Where something was found: in a stored state, or in a step out of one. */
export interface LocatedFinding extends Finding {
  /** Steps from the initial state, the violating one included. */
  readonly depth: number
  /** Number of the stored state. */
  readonly state: number
  /** The violating step, or null when the state itself is what is wrong. */
  readonly step: { readonly actor: number; readonly choices: readonly number[] } | null
}

/** What the expansion of some states came to. */
export interface Tally {
  transitions: number
  endStates: number
  /** States with a step that could be taken. */
  open: number
  looped: boolean
  /** Steps that ended in a fault which no check that is on looks for: nothing beyond them is explored. */
  pruned: number
  readonly findings: LocatedFinding[]
}

/** An empty tally. */
export function newTally(): Tally {
  return { transitions: 0, endStates: 0, open: 0, looped: false, pruned: 0, findings: [] }
}

/** Checks states and takes every step out of them: the one place where the search meets the model. */
export class Expansion {
  readonly #system: System
  readonly #table: StepTable
  readonly #store: StateStore
  readonly #interner: Interner
  readonly #view: StoredStateView
  readonly #checks: readonly Check[]
  readonly #leaves: Leaf[][]
  readonly #next: Int32Array

  constructor(system: System, table: StepTable, store: StateStore, interner: Interner, view: StoredStateView, checks: readonly Check[]) {
    this.#system = system
    this.#table = table
    this.#store = store
    this.#interner = interner
    this.#view = view
    this.#checks = checks
    this.#leaves = system.actors.map(() => [])
    this.#next = new Int32Array(system.layout.words)
  }

  /** The steps and blocked attempts of every actor in a state; valid until the next call. */
  steps(words: Int32Array): readonly (readonly Leaf[])[] {
    for (const actor of this.#system.actors) {
      const leaves = this.#leaves[actor.id] as Leaf[]
      leaves.length = 0
      this.#table.forEachStep(actor, words, (leaf) => leaves.push(leaf))
    }
    return this.#leaves
  }

  /** Calls `visit` with each step that leads on, and the state it leads to (valid during the call). */
  forEachSuccessor(words: Int32Array, visit: (actor: Actor, leaf: Leaf, next: Int32Array) => void): void {
    const leaves = this.steps(words)
    for (const actor of this.#system.actors) {
      for (const leaf of leaves[actor.id] as Leaf[]) {
        if (leaf.outcome !== 'step') continue
        applyWrites(words, leaf.writes, this.#next)
        visit(actor, leaf, this.#next)
      }
    }
  }

  /**
   * Checks a stored state and, when `isExpanded`, stores its successors. Counts only when through: a StoreFullError
   * leaves the tally as it was, and the state may be processed again.
   *
   * @throws StoreFullError
   */
  process(index: number, depth: number, isExpanded: boolean, tally: Tally): void {
    const words = this.#store.at(index)
    const leaves = this.steps(words)
    const findings: LocatedFinding[] = []
    let transitions = 0
    let pruned = 0
    let looped = false
    if (isExpanded) {
      for (const steps of leaves) {
        for (const leaf of steps) {
          if (leaf.outcome === 'blocked') continue
          transitions++
          looped ||= leaf.looped
          if (leaf.outcome === 'fault') continue
          applyWrites(words, leaf.writes, this.#next)
          this.#store.insert(this.#next)
        }
      }
      pruned = this.#faults(index, depth, leaves, findings)
    }
    this.#view.show(words, leaves, depth === 0)
    for (const check of this.#checks) {
      for (const finding of check.state?.(this.#view) ?? []) findings.push({ ...finding, depth, state: index, step: null })
    }
    tally.transitions += transitions
    tally.looped ||= looped
    tally.pruned += pruned
    if (!this.#view.terminal) tally.open++
    if (this.#system.actors.every((actor) => hasFinished(this.#system.layout, words, actor.id))) tally.endStates++
    for (const finding of findings) this.keepFirst(finding, tally.findings)
  }

  /** Keeps the first finding of each kind and property in canonical order. */
  keepFirst(finding: LocatedFinding, findings: LocatedFinding[]): void {
    const at = findings.findIndex(({ kind, property }) => kind === finding.kind && property === finding.property)
    if (at < 0) findings.push(finding)
    else if (this.compare(finding, findings[at] as LocatedFinding) < 0) findings[at] = finding
  }

  /** Canonical order: depth, kind, property, contents of the state, step. Independent of numbers given in passing. */
  compare(a: LocatedFinding, b: LocatedFinding): number {
    return (
      a.depth - b.depth ||
      VIOLATION_KINDS.indexOf(a.kind) - VIOLATION_KINDS.indexOf(b.kind) ||
      compareTexts(a.property, b.property) ||
      (a.state === b.state ? 0 : this.#compareStates(a.state, b.state)) ||
      (a.step?.actor ?? -1) - (b.step?.actor ?? -1) ||
      compareNumbers(a.step?.choices ?? [], b.step?.choices ?? []) ||
      compareTexts(a.message, b.message)
    )
  }

  /** Adds what the fault leaves of a state are to the checks; returns how many none of them looks for. */
  #faults(index: number, depth: number, leaves: readonly (readonly Leaf[])[], findings: LocatedFinding[]): number {
    let pruned = 0
    leaves.forEach((steps, actor) => {
      for (const { fault, choices } of steps) {
        if (!fault) continue
        const before = findings.length
        for (const check of this.#checks) {
          const finding = check.fault?.(fault)
          if (finding) findings.push({ ...finding, depth: depth + 1, state: index, step: { actor, choices } })
        }
        if (findings.length === before) pruned++
      }
    })
    return pruned
  }

  #compareStates(a: number, b: number): number {
    const { layout, actors } = this.#system
    const [one, two] = [this.#store.at(a), this.#store.at(b)]
    const shared = compareNumbers(one.subarray(0, layout.sharedWords), two.subarray(0, layout.sharedWords))
    if (shared !== 0) return shared
    for (const actor of actors) {
      const word = localWord(layout, actor.id)
      if (one[word] === two[word]) continue
      const order = compareNumbers(this.#interner.blob(one[word] as number), this.#interner.blob(two[word] as number))
      if (order !== 0) return order
    }
    return 0
  }
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function compareNumbers(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = (a[i] as number) - (b[i] as number)
    if (order !== 0) return order
  }
  return a.length - b.length
}
