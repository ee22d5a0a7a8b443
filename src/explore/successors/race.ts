import type { Actor } from '../../model/actor.ts'
import { sharesCpu } from '../../semantics/dispatch.ts'
import type { Footprints } from '../step/footprints.ts'
import { BLOCKED, LEAF, OUTCOME, PLAIN, applyFirstWrites } from '../table/leaf.ts'
import type { StepTable } from '../table/step-table.ts'
import { Steps } from '../table/steps.ts'

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
  readonly #footprints: Footprints
  readonly #actors: readonly Actor[]
  readonly #afterAcquire: Int32Array
  readonly #theirs: Steps
  readonly #unplaced: Steps
  /** Whether any actor may have lost its CPU: then any state may have plain accesses pending. */
  readonly shares: boolean

  /** @param words most words of a state */
  constructor(table: StepTable, footprints: Footprints, actors: readonly Actor[], words: number) {
    this.#table = table
    this.#footprints = footprints
    this.#actors = actors
    this.#afterAcquire = new Int32Array(words)
    this.#theirs = new Steps(actors.length)
    this.#unplaced = new Steps(actors.length)
    this.shares = actors.some(sharesCpu)
  }

  /**
   * The races of a state.
   *
   * @param steps the steps and blocked attempts of each actor in it
   * @param position of the state among those whose steps these are
   */
  races(state: Int32Array, steps: Steps, position: number): RaceFound[] {
    const next = this.#actors.map((actor) => this.#next(actor, state, steps.of(actor.id, position)))
    const found: RaceFound[] = []
    for (const p of this.#actors) {
      for (const mine of next[p.id] as Int32Array) {
        if (((this.#table.words[mine] as number) & PLAIN) === 0) continue
        for (const q of this.#actors) {
          if (p === q) continue
          for (const race of this.#pair(p, q, mine, next[q.id] as Int32Array, state)) {
            if (
              !found.some((other) => other.field === race.field && other.actors.includes(p) && other.actors.includes(q))
            )
              found.push(race)
          }
        }
      }
    }
    return found
  }

  /** Whether a state can have races at all: some pair of footprints conflicts. Cheap, for it is asked of most states. */
  mayRace(state: Int32Array, steps: Steps, position: number): boolean {
    if (this.shares) return this.races(state, steps, position).length > 0
    const { words } = this.#table
    const { starts, leaves } = steps
    const first = position * this.#actors.length
    const from = starts[first] as number
    const to = starts[first + this.#actors.length] as number
    for (let p = 0; p < this.#actors.length; p++) {
      const mineFrom = starts[first + p] as number
      const mineTo = starts[first + p + 1] as number
      for (let i = mineFrom; i < mineTo; i++) {
        const mine = leaves[i] as number
        if (((words[mine] as number) & PLAIN) === 0) continue
        for (let j = from; j < to; j++) {
          if (j >= mineFrom && j < mineTo) continue
          if (this.#conflicts(mine, leaves[j] as number).length > 0) return true
        }
      }
    }
    return false
  }

  #pair(p: Actor, q: Actor, mine: number, next: Int32Array, state: Int32Array): RaceFound[] {
    const found: RaceFound[] = []
    for (const theirs of next) {
      if (this.#conflicts(mine, theirs).length === 0) continue
      const isPlain = this.#footprints.get(this.#footprint(mine)).first === 'plain'
      found.push(...(isPlain && sharesCpu(p) ? this.#between(p, q, mine, theirs) : this.#confirm(p, q, mine, state)))
    }
    return found
  }

  /** What an actor does next; one that has lost its CPU before plain accesses would make them next. */
  #next(actor: Actor, state: Int32Array, placed: Int32Array): Int32Array {
    const { words } = this.#table
    if (!sharesCpu(actor) || placed.some((leaf) => ((words[leaf] as number) & OUTCOME) !== BLOCKED)) return placed
    const unplaced = this.#table.unplacedStepsOf(actor.id, state, this.#unplaced).slice()
    const isStopped = unplaced.some(
      (leaf) =>
        ((words[leaf] as number) & OUTCOME) !== BLOCKED &&
        this.#footprints.get(this.#footprint(leaf)).first === 'plain',
    )
    return isStopped ? unplaced : placed
  }

  /** Looks again at what q does once p's acquire alone has taken effect. */
  #confirm(p: Actor, q: Actor, mine: number, state: Int32Array): RaceFound[] {
    this.#afterAcquire.set(state)
    applyFirstWrites(this.#table.words, mine, this.#afterAcquire)
    return [...this.#table.stepsOf(q.id, this.#afterAcquire, this.#theirs)].flatMap((theirs) =>
      this.#between(p, q, mine, theirs),
    )
  }

  #between(p: Actor, q: Actor, mine: number, theirs: number): RaceFound[] {
    const { plain } = this.#footprints.get(this.#footprint(mine))
    const { pending } = this.#footprints.get(this.#footprint(theirs))
    return this.#conflicts(mine, theirs).map((field) => ({
      actors: [p, q],
      field,
      writes: [plain.includes(field * 2 + 1), pending.includes(field * 2 + 1)],
    }))
  }

  #conflicts(mine: number, theirs: number): readonly number[] {
    return this.#footprints.conflicts(this.#footprint(mine), this.#footprint(theirs))
  }

  #footprint(leaf: number): number {
    return this.#table.words[leaf + LEAF.footprint] as number
  }
}
