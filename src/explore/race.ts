import type { Actor } from '../model/actor.ts'
import { sharesCpu } from './dispatch.ts'
import { type Leaf, type StepTable, applyWrites } from './step-table.ts'

/** Two accesses that nothing orders. */
export interface RaceFound {
  readonly actors: readonly [Actor, Actor]
  /** Field id. */
  readonly field: number
  readonly writes: readonly [boolean, boolean]
}

/**
 * The exact race check on a stored state (docs/soundness.md, "Data races"). For each ordered pair p, q whose next steps begin with a
 * pure acquire or a plain access: after p's acquire alone, is q still enabled, and do the plain accesses that each
 * then makes up to its next release or point conflict? An operation of class `other` has no plain access pending,
 * but what its guard and effect touch conflicts with p's plain accesses, also while it is blocked: it may be evaluated
 * at any moment. A thread that has lost its CPU before plain accesses has them pending although it cannot run now: it
 * was stopped in the middle, and holds whatever protects them.
 */
export class RaceDetector {
  readonly #table: StepTable
  readonly #actors: readonly Actor[]
  readonly #known = new Map<number, readonly number[]>()
  readonly #afterAcquire: Int32Array
  /** Whether any actor may have lost its CPU. */
  readonly #shares: boolean

  constructor(table: StepTable, actors: readonly Actor[], words: number) {
    this.#table = table
    this.#actors = actors
    this.#afterAcquire = new Int32Array(words)
    this.#shares = actors.some(sharesCpu)
  }

  /**
   * The races of a state.
   *
   * @param leaves the steps and blocked attempts of each actor in it
   */
  races(words: Int32Array, leaves: readonly (readonly Leaf[])[]): RaceFound[] {
    const next = this.#shares ? leaves.map((placed, i) => this.#next(this.#actors[i] as Actor, words, placed)) : leaves
    const found: RaceFound[] = []
    for (const p of this.#actors) {
      for (const q of this.#actors) {
        if (p === q) continue
        for (const race of this.#pair(p, q, words, next)) {
          if (!found.some((other) => other.field === race.field && other.actors.includes(p) && other.actors.includes(q))) found.push(race)
        }
      }
    }
    return found
  }

  #pair(p: Actor, q: Actor, words: Int32Array, next: readonly (readonly Leaf[])[]): RaceFound[] {
    const found: RaceFound[] = []
    for (const mine of next[p.id] ?? []) {
      if (mine.outcome === 'blocked' || mine.plain.length === 0) continue
      for (const theirs of next[q.id] ?? []) {
        if (this.#conflicts(mine, theirs).length === 0) continue
        found.push(...(mine.first === 'plain' && sharesCpu(p) ? this.#between(p, q, mine, theirs) : this.#confirm(p, q, mine, words)))
      }
    }
    return found
  }

  /** What an actor does next; one that has lost its CPU before plain accesses would make them next. */
  #next(actor: Actor, words: Int32Array, placed: readonly Leaf[]): readonly Leaf[] {
    if (!sharesCpu(actor) || placed.some(({ outcome }) => outcome !== 'blocked')) return placed
    const unplaced: Leaf[] = []
    this.#table.forEachStepUnplaced(actor, words, (leaf) => unplaced.push(leaf))
    return unplaced.some(({ first, outcome }) => first === 'plain' && outcome !== 'blocked') ? unplaced : placed
  }

  /** Looks again at what q does once p's acquire alone has taken effect. */
  #confirm(p: Actor, q: Actor, mine: Leaf, words: Int32Array): RaceFound[] {
    applyWrites(words, mine.firstWrites, this.#afterAcquire)
    const found: RaceFound[] = []
    this.#table.forEachStep(q, this.#afterAcquire, (theirs) => found.push(...this.#between(p, q, mine, theirs)))
    return found
  }

  #between(p: Actor, q: Actor, mine: Leaf, theirs: Leaf): RaceFound[] {
    return this.#conflicts(mine, theirs).map((field) => ({ actors: [p, q], field, writes: [mine.plain.includes(field * 2 + 1), pending(theirs).includes(field * 2 + 1)] }))
  }

  /** Fields on which plain accesses of `mine` conflict with pending accesses of `theirs`. */
  #conflicts(mine: Leaf, theirs: Leaf): readonly number[] {
    const key = mine.id * 0x4000000 + theirs.id
    let found = this.#known.get(key)
    if (found === undefined) {
      const other = pending(theirs)
      const accesses = mine.plain.filter((access) => other.includes(access | 1) || ((access & 1) === 1 && other.includes(access - 1)))
      found = [...new Set(accesses.map((access) => access >> 1))]
      this.#known.set(key, found)
    }
    return found
  }
}

function pending(leaf: Leaf): readonly number[] {
  if (leaf.first === 'other') return leaf.atomic
  return leaf.outcome === 'blocked' ? [] : leaf.plain
}
