import { Refusal } from '../../source/refusal.ts'
import type { Engine } from '../search/engine.ts'
import { type ReadWriteSet, members } from '../step/accesses.ts'
import { BLOCKED, FAULT, HELD, LEAF, OUTCOME, leafChoices } from '../table/leaf.ts'
import type { Move, Position } from './strategy.ts'
import { sameMove } from './wakeup-tree.ts'

/** How moves are found. */
export interface MovesOptions {
  /** Whether the strategy explores one order of independent steps only. */
  readonly isStateless: boolean
  /** Whether the order of all steps that write matters: some property is evaluated in every state. */
  readonly ordersWrites: boolean
}

/** What can be done in a state, as strategies see it. */
export class Moves {
  readonly #engine: Engine
  readonly #isStateless: boolean
  readonly #ordersWrites: boolean

  constructor(engine: Engine, { isStateless, ordersWrites }: MovesOptions) {
    this.#engine = engine
    this.#isStateless = isStateless
    this.#ordersWrites = ordersWrites
  }

  /** The steps out of a state, and the attempts of unfinished actors that are blocked. */
  of(words: Int32Array): { readonly moves: Move[]; readonly blocked: Move[] } {
    const { system, successors, table, locals } = this.#engine
    const moves: Move[] = []
    const blocked: Move[] = []
    const steps = successors.stepsOf(words)
    for (const { id } of system.actors) {
      for (const leaf of steps.of(id)) {
        const isBlocked = ((table.words[leaf] as number) & OUTCOME) === BLOCKED
        if (isBlocked && locals.hasFinished(words, id)) continue
        if (isBlocked && this.#isStateless) this.#refuseRevocable(leaf)
        const move = { actor: id, choices: leafChoices(table.words, leaf), access: this.#access(leaf) }
        ;(isBlocked ? blocked : moves).push(move)
      }
    }
    return { moves, blocked }
  }

  /**
   * Waiting for a condition on several fields is refused: it may hold only while several others stand in the middle of what
   * they do, and reversing one race at a time does not lead there.
   */
  #refuseRevocable(leaf: number): void {
    const { table, footprints, accesses, system } = this.#engine
    const isLock =
      ((table.words[leaf] as number) & HELD) !== 0 ||
      footprints.get(table.words[leaf + LEAF.footprint] as number).first !== 'other'
    const read = members(accesses.get(table.words[leaf + LEAF.access] as number).reads)
    if (isLock || read.length < 2) return
    const names = read.map((field) => system.layout.fields[field]?.name).join(', ')
    throw new Refusal(
      `dpor is not for programs that wait for a condition on several fields (${names}): use --strategy bfs or dfs`,
      system.runtime.place(table.words[leaf + LEAF.site] as number),
    )
  }

  #access(leaf: number): ReadWriteSet {
    const { accesses, table, system } = this.#engine
    const access = accesses.get(table.words[leaf + LEAF.access] as number)
    if (!this.#ordersWrites || access.writes.every((word) => word === 0)) return access
    // a field of no one's that every step writes which writes anything
    const { length } = system.layout.fields
    const writes = access.writes.slice()
    writes[length >> 5] = (writes[length >> 5] as number) | (1 << (length & 31))
    return { reads: access.reads, writes }
  }

  /**
   * The leaf of a step out of a state.
   * @throws Refusal when there is no such step any more
   */
  leaf(words: Int32Array, move: Move): number {
    const { successors, table, executor } = this.#engine
    for (const leaf of successors.stepsOf(words).of(move.actor)) {
      if (sameMove(move, { ...move, choices: leafChoices(table.words, leaf) })) return leaf
    }
    throw executor.unstable()
  }

  /** The steps of an actor after some others have been taken. */
  after(from: Position, moves: readonly Move[], actor: number): readonly Move[] {
    const { successors, table } = this.#engine
    const words = from.words.slice()
    for (const move of moves) {
      const leaf = this.leaf(words, move)
      if (((table.words[leaf] as number) & OUTCOME) !== FAULT) successors.apply(leaf, move.actor, words)
    }
    return this.of(words).moves.filter((move) => move.actor === actor)
  }
}
