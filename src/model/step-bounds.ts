import type { Actor } from './actor.ts'
import type { Access } from './field.ts'
import type { PrimitiveClass } from './operation.ts'

/** Whether plain accesses share steps (`step`), or every access and operation is a step of its own (`access`). */
export type Granularity = 'step' | 'access'

/** Whether a plain access to such a field is atomic by itself, and therefore a step of its own. */
export function isAtomicAccess(access: Access, isWrite: boolean): boolean {
  return access === 'volatile' || access === 'event' || (access === 'published' && isWrite)
}

/** Says where one actor's steps end, by what it has done so far in the present one (docs/soundness.md, "Steps"). */
export class StepBounds {
  readonly #granularity: Granularity
  /** Shared accesses and operations so far. */
  #events = 0
  #hasReleased = false
  /** The next plain access starts another step. */
  #isClosed = false
  /** The actor can lose its CPU between an operation and the plain accesses after it. */
  #separates = false
  /** The last event was an operation. */
  #hasOperated = false

  constructor(granularity: Granularity) {
    this.#granularity = granularity
  }

  /** A step of the actor starts. */
  begin(actor: Actor): void {
    this.#events = 0
    this.#hasReleased = false
    this.#isClosed = false
    this.#separates = actor.state !== null || actor.kind === 'handler'
    this.#hasOperated = false
  }

  /** Whether nothing shared was done yet in this step. */
  get isFresh(): boolean {
    return this.#events === 0
  }

  /** Whether the step has released something: what it does afterwards is in no race. */
  get hasReleased(): boolean {
    return this.#hasReleased
  }

  /** Whether a plain access starts another step. */
  cutsBefore(access: Access, isWrite: boolean): boolean {
    if (this.#granularity === 'access') return this.#events > 0
    return isAtomicAccess(access, isWrite) ? this.#events > 0 : this.#isClosed || (this.#separates && this.#hasOperated)
  }

  /** Whether a ghost read starts another step: it sees the state at a point like any other, not what held when an earlier release or atomic action took effect. */
  get cutsBeforeGhost(): boolean {
    return this.#granularity === 'access' ? this.#events > 0 : this.#isClosed
  }

  /** Whether an operation of some class starts another step than the one in progress. */
  cutsBeforeOperation(primitiveClass: PrimitiveClass, actor: Actor): boolean {
    return primitiveClass !== 'release' || this.#granularity === 'access' || actor.state !== null
  }

  /** A plain access was made. */
  accessed(access: Access, isWrite: boolean): void {
    this.#events++
    if (isAtomicAccess(access, isWrite)) this.#isClosed = true
  }

  /** An operation took effect. */
  performed(primitiveClass: PrimitiveClass): void {
    this.#events++
    this.#hasOperated = true
    if (primitiveClass !== 'acquire') this.#isClosed = true
    if (primitiveClass === 'release') this.#hasReleased = true
  }
}
