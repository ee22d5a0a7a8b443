import type { Actor } from '../model/actor.ts'
import { type Leaf, type StepTable, applyWrites } from './step-table.ts'

/** Two accesses that nothing orders. */
export interface RaceFound {
  readonly actors: readonly [Actor, Actor]
  /** Field id. */
  readonly field: number
  readonly writes: readonly [boolean, boolean]
}

/**
 * The exact race check on a stored state (DESIGN "Races"). For each ordered pair p, q whose next steps begin with a
 * pure acquire or a plain access: after p's acquire alone, is q still enabled, and do the plain accesses that each
 * then makes up to its next release or point conflict? An operation of class `other` has no plain access pending,
 * but what its guard and effect touch conflicts with p's plain accesses, also while it is blocked: it may be evaluated
 * at any moment.
 */
export class RaceDetector {
  readonly #table: StepTable
  readonly #actors: readonly Actor[]
  readonly #conflicts = new Map<number, number>()
  readonly #afterAcquire: Int32Array

  constructor(table: StepTable, actors: readonly Actor[], words: number) {
    this.#table = table
    this.#actors = actors
    this.#afterAcquire = new Int32Array(words)
  }

  /**
   * The races of a state.
   *
   * @param leaves the steps and blocked attempts of each actor in it
   */
  races(words: Int32Array, leaves: readonly (readonly Leaf[])[]): RaceFound[] {
    const found: RaceFound[] = []
    for (const p of this.#actors) {
      for (const q of this.#actors) {
        if (p === q) continue
        const race = this.#pair(p, q, words, leaves)
        if (race && !found.some((other) => other.field === race.field && other.actors[0] === q && other.actors[1] === p)) found.push(race)
      }
    }
    return found
  }

  #pair(p: Actor, q: Actor, words: Int32Array, leaves: readonly (readonly Leaf[])[]): RaceFound | null {
    for (const mine of leaves[p.id] ?? []) {
      if (mine.outcome === 'blocked' || mine.plain.length === 0) continue
      for (const theirs of leaves[q.id] ?? []) {
        if (this.#conflict(mine, theirs) < 0) continue
        const race = this.#confirm(p, q, mine, words)
        if (race) return race
      }
    }
    return null
  }

  /** Looks again at what q does once p's acquire alone has taken effect. */
  #confirm(p: Actor, q: Actor, mine: Leaf, words: Int32Array): RaceFound | null {
    applyWrites(words, mine.first === 'acquire' ? mine.firstWrites : NOTHING, this.#afterAcquire)
    let race: RaceFound | null = null
    this.#table.forEachStep(q, this.#afterAcquire, (theirs) => {
      const access = this.#conflict(mine, theirs)
      if (access < 0 || race) return
      const field = access >> 1
      race = { actors: [p, q], field, writes: [mine.plain.includes(field * 2 + 1), pending(theirs).includes(field * 2 + 1)] }
    })
    return race
  }

  /** A plain access of `mine` that conflicts with a pending access of `theirs`, or -1. */
  #conflict(mine: Leaf, theirs: Leaf): number {
    const key = mine.id * 0x4000000 + theirs.id
    let found = this.#conflicts.get(key)
    if (found === undefined) {
      const other = pending(theirs)
      found = mine.plain.find((access) => other.includes(access | 1) || ((access & 1) === 1 && other.includes(access - 1))) ?? -1
      this.#conflicts.set(key, found)
    }
    return found
  }
}

const NOTHING = new Int32Array(0)

function pending(leaf: Leaf): readonly number[] {
  if (leaf.first === 'other') return leaf.atomic
  return leaf.outcome === 'blocked' ? [] : leaf.plain
}
