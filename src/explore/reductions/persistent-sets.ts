import type { Actor } from '../../model/actor.ts'
import { BLOCKED, FAULT, HELD, IDLE, LEAF, LOOPED, OUTCOME, STEP } from '../table/leaf.ts'
import type { LocalStates } from '../state/local-states.ts'
import type { StepTable } from '../table/step-table.ts'
import type { Steps } from '../table/steps.ts'
import { type ReadWriteSet, type Accesses, addTo, conflict, meet } from '../step/accesses.ts'
import type { Futures } from './futures.ts'
import type { BlockingGuards } from './blocking-guards.ts'
import type { StepFacts } from './step-facts.ts'

/** What a {@link PersistentSets} works with. */
export interface SelectionParts {
  readonly actors: readonly Actor[]
  readonly table: StepTable
  readonly locals: LocalStates
  readonly accesses: Accesses
  readonly knownFacts: StepFacts
  readonly futures: Futures
  readonly blockingGuards: BlockingGuards
}

/**
 * Partial-order reduction: finds states out of which the steps of one actor alone are enough, because they commute with all
 * that others can do before it (a persistent set; docs/soundness.md, "Partial order"). What others can do is taken from
 * steps seen so far; a search continues until it learns nothing more.
 */
export class PersistentSets {
  readonly #with: SelectionParts
  /** By leaf: whether what it tells was learnt. */
  #seen = new Uint8Array(1 << 16)

  constructor(parts: SelectionParts) {
    this.#with = parts
  }

  /** How many things were learnt by all threads. */
  get knownFacts(): number {
    return this.#with.knownFacts.size
  }

  /** Bytes that what was learnt takes. */
  get bytes(): number {
    return this.#with.knownFacts.bytes
  }

  /** Takes into account what was learnt up to a number of things. */
  advance(known: number): void {
    this.#with.futures.advance(known)
  }

  /** A property evaluated in every state reads a field. */
  see(field: number): void {
    this.#with.knownFacts.addSight(field)
  }

  /**
   * The actor whose steps out of a state are enough, or -1; learns from all steps there.
   *
   * @param position of the state among those whose steps these are
   */
  select(words: Int32Array, steps: Steps, position: number): number {
    const { actors } = this.#with
    for (const { id } of actors) this.#learn(id, words, steps.of(id, position))
    for (const actor of actors) {
      const touched = this.#candidate(actor.id, words, steps.of(actor.id, position))
      if (touched && actors.every((other) => other === actor || this.#commute(touched, actor, other, words)))
        return actor.id
    }
    return -1
  }

  #learn(actor: number, words: Int32Array, leaves: Int32Array): void {
    const { table, locals, knownFacts } = this.#with
    const local = locals.id(words, actor)
    for (const leaf of leaves) {
      if (leaf < this.#seen.length && this.#seen[leaf] === 1) continue
      const head = table.words[leaf] as number
      const isStep = (head & OUTCOME) === STEP
      knownFacts.add({
        actor,
        local,
        access: table.words[leaf + LEAF.access] as number,
        next: isStep ? (table.words[leaf + LEAF.local] as number) : -1,
        isHeld: (head & HELD) !== 0,
      })
      if (!table.isPassing(leaf)) this.#mark(leaf)
    }
  }

  #mark(leaf: number): void {
    if (leaf >= this.#seen.length) {
      const grown = new Uint8Array(leaf * 2)
      grown.set(this.#seen)
      this.#seen = grown
    }
    this.#seen[leaf] = 1
  }

  /**
   * What the steps of an actor touch, if these might do alone: they can all be taken, none closes a loop in which others could
   * be kept waiting forever (a turn of a loop after which the actor can come back to where it was), none stays where it
   * is, and none changes what a property evaluated in every state reads.
   */
  #candidate(actor: number, words: Int32Array, leaves: Int32Array): ReadWriteSet | null {
    const { table, locals, accesses, futures } = this.#with
    const local = locals.id(words, actor)
    let touched: ReadWriteSet | null = null
    for (const leaf of leaves) {
      const head = table.words[leaf] as number
      const next = table.words[leaf + LEAF.local] as number
      if ((head & OUTCOME) === BLOCKED || (head & OUTCOME) === FAULT || (head & IDLE) !== 0 || next === local)
        return null
      if ((head & LOOPED) !== 0 && futures.returns(actor, next, local)) return null
      const access = accesses.get(table.words[leaf + LEAF.access] as number)
      if (meet(access.writes, futures.visible)) return null
      if (touched === null) touched = { reads: access.reads.slice(), writes: access.writes.slice() }
      else addTo(touched, access)
    }
    return touched
  }

  /** Whether what one actor does now commutes with all that another may do before it. */
  #commute(touched: ReadWriteSet, actor: Actor, other: Actor, words: Int32Array): boolean {
    const { futures, blockingGuards, locals } = this.#with
    const local = locals.id(words, other.id)
    if (!conflict(touched, futures.after(other.id, local, []))) return true
    const closed = blockingGuards.closed(other, actor, words)
    return closed.length > 0 && !conflict(touched, futures.after(other.id, local, closed))
  }
}
