import type { Count } from '../source/quantities.ts'
import type { SourcePlace } from '../source/refusal.ts'
import type { Role } from '../model/field.ts'

/** One thing that a step did. */
export interface TraceEvent {
  /** `acquire`, `release`, `write`, `read`, `allocate`, `free`, `when`, ...; `sees`: a plain read. */
  readonly operation: string
  /** Name of the object; empty for a bare condition. */
  readonly target: string
  readonly detail: string
  /** A write of the value that was there. */
  readonly unchanged?: true
  /** The kernel functions on the stack, outermost first. */
  readonly function: readonly string[]
  readonly at: SourcePlace | null
}

/** A field that a step changed. */
export interface Change {
  readonly field: string
  readonly from: unknown
  readonly to: unknown
}

/** Why a step's actor runs: it starts, continues, or why the one before it does not. */
export type Why = 'start' | 'continue' | 'preempted' | 'blocked' | 'woken' | 'finished'

/** A part of the machine's state: a struct with its fields. */
export interface MachineObject {
  readonly name: string
  /** Name of the struct's type: `entry`, `page`, `lock`. */
  readonly type: string
  readonly fields: readonly MachineField[]
}

/** A field of the machine's state. */
export interface MachineField {
  /** As changes call it: `entry[1].inTransition`. */
  readonly field: string
  /** Within its struct: `inTransition`. */
  readonly name: string
  /** Its range: `bool`, `u3`, `ref(page)`. */
  readonly type: string
  /** Value at the start. */
  readonly initial: unknown
  /** What the actors that it names do: hold the object, or wait for it. */
  readonly role?: Role
}

/** One step of a trace. */
export interface TraceStep {
  readonly actor: Count
  readonly why: Why
  /** The same in words, with who and what: `CPU 0 is blocked on lock (acquire); woken by CPU 1`; empty for `continue`. */
  readonly because: string
  readonly events: readonly TraceEvent[]
  readonly changes: readonly Change[]
  /** What it changed inside of synchronising objects; absent: nothing. */
  readonly inside?: readonly Change[]
  /** Who cannot continue after it; absent: no one, or not known. */
  readonly waits?: readonly Waiting[]
  /** Its actor has finished. */
  readonly finishes?: true
}

/** An actor that cannot continue at the end of a trace. */
export interface Waiting {
  readonly actor: Count
  readonly operation: string
  readonly target: string
  readonly heldBy: readonly Count[]
  readonly at: SourcePlace | null
}

/** An access that takes part in a race, at the end of a trace. */
export interface RacingAccess {
  readonly actor: Count
  readonly access: 'read' | 'write'
  readonly field: string
  readonly function: readonly string[]
  readonly at: SourcePlace | null
  /** Alternatives that the actor takes on the way to it; absent: none. */
  readonly choices?: readonly Count[]
}
