import { type ReadWriteSet, conflict } from '../step/accesses.ts'
import { HappensBefore } from './happens-before.ts'
import type { Move, Path, Position, Strategy, StrategyOptions, Trial } from './strategy.ts'
import { WakeupTree, alternatives, covers, sameMove } from './wakeup-tree.ts'

/** A state on the path, as the algorithm sees it. */
interface Node {
  readonly position: Position
  /** Steps that need not be explored here: what they lead to is, in another order. */
  readonly sleeping: Move[]
  /** What is to be explored from here, the first branch at present. */
  readonly tree: WakeupTree
}

/**
 * Optimal dynamic partial-order reduction with wakeup trees (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014): one execution of each
 * class of executions that differ in the order of independent steps only. Stores no states; for programs that end.
 *
 * All alternatives of a step are explored where one is; each sleeps by itself. An attempt that is
 * blocked at the end takes part in races like the step that it would be. Where an actor would be blocked if it ran before
 * an event, races are looked for with events before that, too: an acquire races with the acquire before it, for with the
 * release between it cannot.
 */
export class Dpor implements Strategy {
  readonly outcome = 'all'
  readonly #actors: number
  readonly #nodes: Node[] = []
  /** Executions given up because others had explored what they led to. */
  #redundant = 0
  #hasBegun = false

  constructor({ actors }: StrategyOptions) {
    this.#actors = actors
  }

  begin(): number {
    if (!this.#hasBegun) {
      this.#hasBegun = true
      return 0
    }
    for (; this.#nodes.length > 0; this.#nodes.pop()) {
      const node = this.#nodes.at(-1) as Node
      const { branches } = node.tree
      const done = branches.shift()?.move
      if (done) node.sleeping.push(done)
      if (branches.length > 0) return this.#nodes.length - 1
    }
    return -1
  }

  next(position: Position): Move | null {
    const node = this.#nodes[position.depth] ?? this.#enter(position)
    const { tree, sleeping } = node
    // a step that a race asks for may be a preemption too many: it is skipped, and the search ends inconclusive
    while (position.isLimited && tree.branches[0] && !isAmong(tree.branches[0].move, position.moves))
      tree.branches.shift()
    if (tree.branches.length === 0) {
      const first = position.moves.find((move) => !isAmong(move, sleeping))
      if (!first) {
        this.#redundant++
        return null
      }
      tree.branches.push({ move: first, tree: new WakeupTree() })
    }
    const { move } = tree.branches[0] as { move: Move }
    const known = [...tree.branches.map((branch) => branch.move), ...sleeping]
    for (const other of alternatives(position.moves, move))
      if (!isAmong(other, known)) tree.branches.splice(1, 0, { move: other, tree: new WakeupTree() })
    return move
  }

  end(path: Path, trial: Trial): void {
    if (!path.isComplete) return
    const { moves, positions } = path
    const order = new HappensBefore(this.#actors)
    const isOrdered =
      (access: ReadWriteSet) =>
      (earlier: number): boolean =>
        conflict((moves[earlier] as Move).access, access)
    for (const { actor, access } of moves) order.push(actor, isOrdered(access))
    moves.forEach((move, event) => this.#reverseAll(path, order, event, move, order.clock(event), trial))
    for (const attempt of positions.at(-1)?.blocked ?? [])
      this.#reverseAll(
        path,
        order,
        moves.length,
        attempt,
        order.clockOf(attempt.actor, isOrdered(attempt.access)),
        trial,
      )
  }

  notes(): readonly string[] {
    return this.#redundant > 0
      ? [`${this.#redundant} executions were given up because others had explored what they led to`]
      : []
  }

  #enter(position: Position): Node {
    const parent = this.#nodes.at(-1)
    const branch = parent?.tree.branches[0]
    const sleeping = (parent?.sleeping ?? []).filter(
      ({ actor, access }) => branch && actor !== branch.move.actor && !conflict(access, branch.move.access),
    )
    const node = { position, sleeping, tree: branch?.tree ?? new WakeupTree() }
    this.#nodes.push(node)
    return node
  }

  /** Reverses the races of an event, or of an attempt that is blocked at the end, with earlier ones, the latest first. */
  #reverseAll(path: Path, order: HappensBefore, event: number, move: Move, clock: Int32Array, trial: Trial): void {
    let wasBlocked = false
    for (let earlier = event - 1; earlier >= 0; earlier--) {
      const before = path.moves[earlier] as Move
      if (before.actor === move.actor || !conflict(before.access, move.access)) continue
      const between = this.#between(path, order, earlier, event, clock)
      if (between.includes(move.actor) || (between.length > 0 && !wasBlocked)) continue
      const isReversed = this.#reverse(path, order, earlier, move, trial)
      wasBlocked ||= !isReversed
    }
  }

  /** Actors of the events between two others in the order of events. */
  #between({ moves }: Path, order: HappensBefore, earlier: number, event: number, clock: Int32Array): number[] {
    const found: number[] = []
    for (let between = earlier + 1; between < event; between++) {
      if (order.isBefore(earlier, between) && order.isIn(between, clock)) found.push((moves[between] as Move).actor)
    }
    return found
  }

  /** Has the actor of a step run before an event, after all that does not come after the event; false: it is blocked there. */
  #reverse({ moves, positions }: Path, order: HappensBefore, earlier: number, move: Move, trial: Trial): boolean {
    const others = moves.filter((_, event) => event > earlier && !order.isBefore(earlier, event))
    const theirs = trial.movesAfter(positions[earlier] as Position, others, move.actor)
    const next = theirs.find((one) => sameMove(one, move)) ?? theirs[0]
    if (!next) return false
    const sequence = [...others, next]
    const { sleeping, tree, position } = this.#nodes[earlier] as Node
    const isExplored = sleeping.some((one) => {
      const others = alternatives(position.moves, one)
      return (
        covers(one, sequence, others) &&
        (sequence.some(({ actor }) => actor === one.actor) || others.every((other) => isAmong(other, sleeping)))
      )
    })
    if (!isExplored) tree.insert(sequence, position.moves)
    return true
  }
}

function isAmong(move: Move, list: readonly Move[]): boolean {
  return list.some((one) => sameMove(one, move))
}
