import type { RawEvent } from '../trace/narration.ts'
import type { Fault } from '../model/memory.ts'
import type { Switches } from '../semantics/switches.ts'
import type { SourcePlace } from '../source/refusal.ts'

/** What an actor stands before, asked while no one runs. */
export interface Wait {
  /** Of the operation; `run` for one that has no CPU. */
  readonly operation: string
  readonly target: string
  readonly isBlocked: boolean
  /** Who holds what it waits for, or would wake it. */
  readonly heldBy: readonly number[]
  /** Whether each of those has to act before it can continue, and no other actor can help. */
  readonly isHeld: boolean
  /** Whether it sleeps until it is woken, rather than until something is free. */
  readonly sleeping: boolean
  /** Of a bare condition: what its guard reads. */
  readonly reads: readonly string[]
  /** Whether an attempt may sleep, giving its CPU to others. */
  readonly mayYield: boolean
  /** What a thread alone on its CPU has switched off, and how often. */
  readonly off: Switches
  readonly at: SourcePlace | null
}

/** A step as the thread that took it tells it. */
export interface TakenStep {
  readonly choices: readonly number[]
  readonly events: readonly RawEvent[]
  readonly fault: Fault | null
}

/** Where an actor stands before a step. */
export interface Point {
  /** What it waits for; null before plain accesses. No one may be running. */
  look(): Wait | null
}

/** Decides when an actor takes its steps, and which alternatives. A free run has one, a replay another. */
export interface Driver {
  /** Whether steps are told in detail, and no other actor runs meanwhile. */
  readonly isWatched: boolean
  /** Of so many releases, one has what it must restore looked at. */
  readonly sampling: number
  /** A round begins. */
  begin(): void
  /**
   * Before a step: returns when it may be taken.
   *
   * @throws Abandoned
   */
  pass(point: Point): void
  /** The step is done. */
  done(step: TakenStep): void
  /** The attempt found its operation blocked; the actor sleeps now. */
  blocked(point: Point): void
  /** One of 0 to n - 1. */
  choose(n: number): number
  /** An access is about to be made that a replay may want to see two actors stand before. */
  beforeAccess(field: number, isWrite: boolean): void
}
