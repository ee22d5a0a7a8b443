import { type ReadWriteSet, conflict } from '../step/accesses.ts'
import type { Move } from './strategy.ts'

/** A step to be taken, and what is to be explored after it. */
export interface Branch {
  readonly move: Move
  readonly tree: WakeupTree
}

/**
 * Sequences of steps that are to be explored from a state, in order (Abdulla, Aronsson, Jonsson, Sagonas, "Optimal dynamic partial order
 * reduction", POPL 2014, section 6).
 */
export class WakeupTree {
  readonly branches: Branch[] = []

  /**
   * Adds a sequence, unless what is explored anyway contains one that begins alike, up to the order of independent steps.
   *
   * @param possible all that can be done where the tree begins
   */
  insert(sequence: readonly Move[], possible: readonly Move[]): void {
    this.#insert(sequence, (move) => alternatives(possible, move))
  }

  #insert(sequence: readonly Move[], others: (move: Move) => readonly Move[] | null): void {
    const branch = this.branches.find(({ move }) => covers(move, sequence, others(move)))
    if (!branch) {
      this.#append(sequence)
      return
    }
    const at = sequence.findIndex(({ actor }) => actor === branch.move.actor)
    const rest = at < 0 ? sequence : sequence.toSpliced(at, 1)
    // what can be done further on is not known
    if (rest.length > 0 && branch.tree.branches.length > 0) branch.tree.#insert(rest, () => null)
  }

  #append([first, ...rest]: readonly Move[]): void {
    if (!first) return
    const tree = new WakeupTree()
    tree.#append(rest)
    this.branches.push({ move: first, tree })
  }
}

/** Whether two steps are one alternative of one actor's. */
export function sameMove(a: Move, b: Move): boolean {
  return (
    a.actor === b.actor &&
    a.choices.length === b.choices.length &&
    a.choices.every((choice, i) => choice === b.choices[i])
  )
}

/** The steps of the actor of one step, which are alternatives to each other. */
export function alternatives(possible: readonly Move[], { actor }: Move): readonly Move[] {
  return possible.filter((move) => move.actor === actor)
}

/**
 * Whether what is explored after a step contains all that begins with a sequence, up to the order of independent steps:
 * the step can be taken first in some order of the sequence, or whatever the actor does commutes with it (a weak initial).
 *
 * @param others the step's alternatives, itself included; null: not known
 */
export function covers(move: Move, sequence: readonly Move[], others: readonly Move[] | null): boolean {
  const at = sequence.findIndex(({ actor }) => actor === move.actor)
  if (at >= 0) return sameMove(sequence[at] as Move, move) && isIndependent(sequence, at, (sequence[at] as Move).access)
  if (others === null && move.choices.length > 0) return false
  return (others ?? [move]).every(({ access }) => isIndependent(sequence, sequence.length, access))
}

function isIndependent(sequence: readonly Move[], count: number, access: ReadWriteSet): boolean {
  for (let i = 0; i < count; i++) if (conflict((sequence[i] as Move).access, access)) return false
  return true
}
