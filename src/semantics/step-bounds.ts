import type { Actor } from '../model/actor.ts'
import type { AccessMode } from '../model/field.ts'
import type { MachineParts } from '../model/machine-parts.ts'
import type { Operation, PrimitiveClass } from '../model/operation.ts'

/** Whether plain accesses share steps (`step`), or every access and operation is a step of its own (`access`). */
export type Granularity = 'step' | 'access'

/** Whether a plain access to such a field is atomic by itself, and therefore a step of its own. */
export function isAtomicAccess(access: AccessMode, isWrite: boolean): boolean {
  return access === 'volatile' || access === 'event' || (access === 'published' && isWrite)
}

/** The class of an operation in a machine: that of its primitive; of a lock that properties look at, `other`, for "held" shows there. */
export function classOf(
  { primitive, target }: Operation<unknown>,
  { observed }: Pick<MachineParts, 'observed'>,
): PrimitiveClass {
  return observed.has(target.name) ? 'other' : primitive.class
}

/** Says where one actor's steps end, by what it has done so far in the present one (docs/soundness.md, "Steps"). */
export class StepBounds {
  readonly #granularity: Granularity
  readonly #machine: Pick<MachineParts, 'observed' | 'properties'>
  /** Shared accesses and operations so far. */
  #events = 0
  #hasReleased = false
  /** The next plain access starts another step. */
  #isClosed = false
  /** The actor can lose its CPU between an operation and the plain accesses after it. */
  #separates = false
  /** The last event was an operation. */
  #hasOperated = false

  constructor(granularity: Granularity, machine: Pick<MachineParts, 'observed' | 'properties'>) {
    this.#granularity = granularity
    this.#machine = machine
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

  /**
   * Whether some access may start another step now.
   * @param hasAtomic whether accesses of some field are atomic by themselves
   */
  mayCut(hasAtomic: boolean): boolean {
    if (this.#granularity === 'access' || hasAtomic) return this.#events > 0
    return this.#isClosed || (this.#separates && this.#hasOperated)
  }

  /** Whether a plain access starts another step. */
  cutsBefore(access: AccessMode, isWrite: boolean): boolean {
    if (this.#granularity === 'access') return this.#events > 0
    return isAtomicAccess(access, isWrite) ? this.#events > 0 : this.#isClosed || (this.#separates && this.#hasOperated)
  }

  /** Whether a ghost read starts another step: it sees the state at a point like any other, not what held when an earlier release or atomic action took effect. */
  get cutsBeforeGhost(): boolean {
    return this.#granularity === 'access' ? this.#events > 0 : this.#isClosed
  }

  /** Whether an operation starts another step than the one in progress. */
  cutsBeforeOperation(operation: Operation<unknown>, actor: Actor): boolean {
    if (classOf(operation, this.#machine) !== 'release' || this.#granularity === 'access' || actor.state !== null)
      return true
    // what an earlier release lets others do comes before what is evaluated at this one
    return this.#isClosed && this.#machine.properties.some(({ lock }) => lock === operation.target)
  }

  /** A plain access was made. */
  accessed(access: AccessMode, isWrite: boolean): void {
    this.#events++
    if (isAtomicAccess(access, isWrite)) this.#isClosed = true
  }

  /** An operation took effect. */
  performed(operation: Operation<unknown>): void {
    this.performedAs(classOf(operation, this.#machine))
  }

  /** Something that counts as an operation of some class took effect. */
  performedAs(primitiveClass: PrimitiveClass): void {
    this.#events++
    this.#hasOperated = true
    if (primitiveClass !== 'acquire') this.#isClosed = true
    if (primitiveClass === 'release') this.#hasReleased = true
  }
}
