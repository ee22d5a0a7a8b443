import type { ReadWriteSet } from '../step/accesses.ts'

/** A step that can be taken. */
export interface Move {
  readonly actor: number
  readonly choices: readonly number[]
  /** All that it touches. */
  readonly access: ReadWriteSet
}

/** A state on the path of an execution. */
export interface Position {
  /** Steps from the initial state. */
  readonly depth: number
  readonly words: Int32Array
  /** The steps out of it that may be taken, in order of actors and alternatives. */
  readonly moves: readonly Move[]
  /** Whether steps of other actors are left out, because a preemption is not allowed here. */
  readonly isLimited: boolean
  /** Actors that have not finished and cannot move, with what their attempts touch. */
  readonly blocked: readonly Move[]
  /** Whether it was met before, with as many preemptions left and the same actor running where these are limited. */
  readonly isKnown: boolean
  /** The actor of the step before it, or -1. */
  readonly last: number
}

/** An execution from the initial state: positions, and the moves between them. */
export interface Path {
  readonly positions: readonly Position[]
  readonly moves: readonly Move[]
  /** Whether nothing more could be done at its end. */
  readonly isComplete: boolean
}

/** Lets a strategy try steps without taking them. */
export interface Trial {
  /** What an actor can do in the state that some moves lead to from a position. */
  movesAfter(from: Position, moves: readonly Move[], actor: number): readonly Move[]
}

/** Chooses the steps of one execution after another: what to write for another way of searching. */
export interface Strategy {
  /** Depth in the last execution from which another one continues; 0: from the start; -1: there is none. */
  begin(): number
  /** The step to take at the end of the path; null: the execution ends there. */
  next(position: Position): Move | null
  /** An execution has ended. */
  end(path: Path, trial: Trial): void
  /** What the search comes to when it ends by itself: `all`: everything was explored, or why not. */
  readonly outcome: 'all' | 'runs'
  /** What is to be said of it at its end. */
  notes(): readonly string[]
}

/** What strategies are made with. */
export interface StrategyOptions {
  readonly actors: number
  readonly seed: number
  /** Executions, of those that do not end by themselves. */
  readonly runs: number
  /** Of probabilistic concurrency testing: number of orderings that make up a bug. */
  readonly bugDepth: number
}
