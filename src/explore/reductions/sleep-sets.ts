import type { Actor } from '../../model/actor.ts'
import { LEAF } from '../table/leaf.ts'
import { type Accesses, conflict } from '../step/accesses.ts'
import { type StateWords, UNEXPANDED } from '../store/state-words.ts'
import type { StateStore } from '../store/state-store.ts'
import type { StepTable } from '../table/step-table.ts'
import type { Successors } from '../successors/successors.ts'
import type { Names } from '../symmetry/names.ts'

/** What {@link SleepSets} work with. */
export interface SleepSetsParts {
  readonly actors: readonly Actor[]
  readonly table: StepTable
  readonly store: StateStore
  readonly successors: Successors
  readonly stateWords: StateWords
  readonly accesses: Accesses
  /** Names of interchangeable members; null without symmetry. */
  readonly names: Names | null
}

/**
 * Spares the search successors that are sure to be stored without: where the steps of a and b out of a state commute,
 * what a leads to after b is what b leads to after a, so that one of the two ways is enough (Godefroid's sleep sets, here
 * level by level: docs/soundness.md, "Sleep sets"). States, levels and counts stay what they are.
 *
 * While a state is not expanded, its word in {@link StateWords} holds its sleep set: the actors whose steps are not built.
 */
export class SleepSets {
  readonly #with: SleepSetsParts
  /** By actor: what it is ranked by beside its place in the code, the same for all that are interchangeable. */
  readonly #classes: Int32Array

  constructor(parts: SleepSetsParts) {
    this.#with = parts
    const { actors, names } = parts
    this.#classes = Int32Array.from(actors, ({ id }) => {
      const member = names?.memberOfActor[id] ?? -1
      return names && member >= 0
        ? (names.actorOfMember[names.firstOf[names.setOf[member] as number] as number] as number)
        : id
    })
  }

  /** Tells the successors which actors sleep in the states of the group, the first of which is `from`. */
  load(from: number): void {
    const { successors, stateWords } = this.#with
    for (let i = 0; i < successors.count; i++) {
      const known = stateWords.get(from + i)
      successors.asleep[i] = known < 0 ? known & ~UNEXPANDED : 0
    }
  }

  /** Gives the states that were stored last, out of the group, their sleep sets. */
  note(): void {
    const { store, stateWords, names } = this.#with
    const { positions, numbers, count } = store.added
    for (let i = 0; i < count; i++) {
      const position = positions[i] as number
      const asleep = names ? this.#renamed(this.#commuting(position, true), position) : this.#commuting(position, false)
      if (asleep !== 0) stateWords.set(numbers[i] as number, asleep | UNEXPANDED)
    }
  }

  /** Mask of the actors that come before the one whose step led to a position of the batch, and whose steps commute with it. */
  #commuting(position: number, isRanked: boolean): number {
    const { successors, table, actors } = this.#with
    const { words } = table
    const { starts, leaves } = successors.steps
    const step = successors.origins[position] as number
    const mover = (successors.movers[position] as number) % actors.length
    const first = (successors.movers[position] as number) - mover
    const touched = words[step + LEAF.touched] as number
    const written = words[step + LEAF.written] as number
    const rank = isRanked ? this.#rank(mover, step) : 0
    let found = 0
    // Hot: once for every new state. What two steps touch is compared roughly first, which nearly always tells.
    for (let actor = 0, end = isRanked ? actors.length : mover; actor < end; actor++) {
      let at = starts[first + actor] as number
      const to = starts[first + actor + 1] as number
      if (isRanked && (actor === mover || at === to || this.#rank(actor, leaves[at] as number) >= rank)) continue
      while (at < to) {
        const other = leaves[at] as number
        if (
          ((written & (words[other + LEAF.touched] as number)) |
            (touched & (words[other + LEAF.written] as number))) !==
            0 &&
          this.#conflict(step, other)
        )
          break
        at++
      }
      if (at === to) found |= 1 << actor
    }
    return found
  }

  /** Whether two steps conflict: the order in which they are taken may matter. */
  #conflict(mine: number, theirs: number): boolean {
    const { accesses, table } = this.#with
    return conflict(
      accesses.get(table.words[mine + LEAF.access] as number),
      accesses.get(table.words[theirs + LEAF.access] as number),
    )
  }

  /** What renaming keeps of an actor that is about to take a step: where it is in its code, and which actors it is like. */
  #rank(actor: number, leaf: number): number {
    return (this.#with.table.words[leaf + LEAF.site] as number) * 32 + (this.#classes[actor] as number)
  }

  /** A set of actors as the stored state of a position calls them. */
  #renamed(set: number, position: number): number {
    const { images } = this.#with.successors
    const actors = this.#with.actors.length
    let renamed = 0
    for (let left = set; left !== 0; left &= left - 1)
      renamed |= 1 << (images[position * actors + 31 - Math.clz32(left & -left)] as number)
    return renamed
  }
}
