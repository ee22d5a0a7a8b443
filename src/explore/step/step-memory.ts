import { Refusal, type SourcePlace } from '../../source/refusal.ts'
import type { Activation } from '../../runtime/runtime.ts'
import type { Actor } from '../../model/actor.ts'
import { leftOff, insideTouched, usedAfterFree } from '../../semantics/faults.ts'
import type { Field } from '../../model/field.ts'
import { namesActor } from '../../semantics/holdings.ts'
import { NOTHING_OFF, type Switches, switchedBy } from '../../semantics/switches.ts'
import type { Fault, MemoryPort } from '../../model/memory.ts'
import { ClosureOperation, type Operation, type PrimitiveClass } from '../../model/operation.ts'
import { type Granularity, StepBounds, classOf, isAtomicAccess } from '../../semantics/step-bounds.ts'
import { isKind } from '../../source/thrown.ts'
import { readCell } from '../state/layout.ts'
import { OBJECT } from '../state/references.ts'
import type { System } from '../state/system.ts'

/** Something the step's course depended on: a field's value, or an alternative taken. */
export type Dependence =
  | { readonly on: 'field'; readonly field: Field; readonly raw: number }
  | { readonly on: 'choice'; readonly n: number; readonly taken: number; readonly among: readonly object[] | null }

/** Alternatives to take, one a choice: by position, or one of those that a choice is among. */
export type Script = readonly (number | { readonly object: object })[]

/** Told of what a step does while it is executed, for traces. */
export interface StepObserver {
  operation?(operation: Operation<unknown>, stack: readonly Activation[], site: number, blocked: boolean): void
  /** `once`: read by readOnce. */
  access?(field: Field, isWrite: boolean, stack: readonly Activation[], once: boolean): void
  /** What the write just told of stores. */
  stored?(field: Field, raw: number): void
  /** An alternative was taken. */
  choice?(what: string, taken: string, stack: readonly Activation[]): void
}

/** Unwinds the model's code when a step ends in the middle of a function: with a fault, or cut before an access. */
export class StepSignal extends Error {
  readonly fault: Fault | null
  constructor(fault: Fault | null) {
    super(fault ? fault.message : 'cut')
    this.fault = fault
  }
}

/** Whether an exception is the executor's own, which the model's code must not see. */
export function isSignal(error: unknown): boolean {
  return isKind(error, StepSignal) || isKind(error, Refusal)
}

/** Why a look at the inside of a lock is refused. */
export function hiddenLock({ name }: Field): string {
  return `${name} is looked at, which says who holds a lock: others may take and release it within one step; make it with { tryable: true }, or an object of vmcheck/vm under the lock's own name`
}

type Mode = 'plain' | 'sync' | 'once' | 'ghost'

/** Accesses between two points of the code beyond which a loop over volatile fields is refused. */
const MAX_LOG = 1000

/**
 * The shared memory that one step sees: the stored state under the step's own writes. It records what the step
 * depended on, and ends the step before an access that must not share it (docs/soundness.md, "Steps").
 */
export class StepMemory implements MemoryPort {
  readonly #system: System
  readonly #bounds: StepBounds
  observer: StepObserver = {}
  /** Where the last observed fault happened, if that is known. */
  faultPlace: SourcePlace | null = null
  actor: Actor | null = null
  /** The activations of the actor running, outermost first. */
  stack: Activation[] = []
  /** What the step began with. */
  first: PrimitiveClass | 'plain' = 'plain'
  /** Race-checked accesses before the first release: field id * 2, + 1 for a write. */
  plain: number[] = []
  /** Accesses of an operation of class `other` to fields outside synchronising objects, coded alike. */
  atomic: number[] = []
  dependences: Dependence[] = []
  /** Raw values written so far, by field id. */
  writes: Map<number, number> = new Map()
  /**
   * Accesses since the last operation, as a virtual point keeps them, each a value and what it names: a value read with
   * the number of its naming ({@link Namings}), 0 for writes, an alternative taken, or {@link OBJECT} and its number.
   */
  log: number[] = []
  /** How often the actor, alone on its CPU, has switched interrupts and preemption off. */
  switches: Switches = NOTHING_OFF
  /** Whether some check reports a fault: a step does not end in what no one looks for. */
  seeks: (fault: Fault) => boolean = () => true
  /** Only local code is to run: the step ends before any access at all. */
  probing = false
  /** An operand is evaluated again: it must not touch shared memory. */
  evaluating = false
  #words: Int32Array = new Int32Array(0)
  #script: Script = []
  #choices = 0
  #read = new Set<number>()
  #mode: Mode = 'plain'
  #class: PrimitiveClass | null = null
  /** A guard is evaluated: it must not write. */
  #guarding = false
  /** The operation running is made of the model's own closures. */
  #closure = false
  /** What a release implies is evaluated, as part of it. */
  #checking = false
  /** What an operation's own lock is asked. */
  #asks = false
  /** Accesses still fed from the log of a virtual point. */
  #fed = 0
  #feeding = false
  #touched: { alive: Field; name: string } | null = null
  /** What has ended the step: code of the model that runs while it unwinds cannot end it otherwise. */
  #ended: Error | null = null

  constructor(system: System, granularity: Granularity) {
    this.#system = system
    this.#bounds = new StepBounds(granularity, system.machine)
  }

  /** Starts a step of `actor` on a stored state; `script` holds the alternatives to take. */
  begin(actor: Actor, words: Int32Array, script: Script): void {
    this.actor = actor
    this.#words = words
    this.#script = script
    this.stack = []
    this.first = 'plain'
    this.plain = []
    this.atomic = []
    this.dependences = []
    this.writes = new Map()
    this.log = []
    this.probing = false
    this.switches = NOTHING_OFF
    this.#choices = 0
    this.#read = new Set()
    this.#bounds.begin(actor)
    this.#checking = false
    this.#fed = 0
    this.#feeding = false
    this.#touched = null
    this.faultPlace = null
    this.#ended = null
    this.leaveOperation()
  }

  /** The step continues from a virtual point: its log feeds the accesses already made. */
  feed(log: readonly number[]): void {
    this.log = [...log]
    this.#feeding = log.length > 0
  }

  /** An operation is about to be tried; the log must be used up. */
  enterOperation(operation: Operation<unknown>): void {
    if (this.#feeding && this.#fed < this.log.length) throw this.unstable()
    this.#feeding = false
    this.#closure = operation instanceof ClosureOperation
    this.#mode = operation instanceof ClosureOperation ? operation.reads : 'sync'
    this.#class = classOf(operation, this.#system.machine)
  }

  /** Runs a guard: its writes are refused. */
  guard(body: () => boolean): boolean {
    this.#guarding = true
    const holds = body()
    this.#guarding = false
    return holds
  }

  /** The model's plain code continues, after an operation or an exception in one. */
  leaveOperation(): void {
    this.#mode = 'plain'
    this.#class = null
    this.#closure = false
    this.#guarding = false
    this.evaluating = false
  }

  /** An operation took effect: from here on the step's log starts again, and its class says what may still follow. */
  performed(operation: Operation<unknown>): void {
    this.#bounds.performed(operation)
    this.log = []
    this.#fed = 0
    this.#feeding = false
  }

  /** Whether an operation starts another step. */
  startsStep(operation: Operation<unknown>): boolean {
    return this.probing || this.#bounds.cutsBeforeOperation(operation, this.actor as Actor)
  }

  /** A guard is being evaluated. */
  get guarding(): boolean {
    return this.#guarding
  }

  /** Decides who runs where, as part of the step that begins or ends: no access of the model's own. */
  scheduling<T>(body: () => T): T {
    const [mode, primitiveClass, closure] = [this.#mode, this.#class, this.#closure]
    this.#mode = 'sync'
    this.#class = 'acquire'
    this.#closure = false
    try {
      return body()
    } finally {
      this.#mode = mode
      this.#class = primitiveClass
      this.#closure = closure
    }
  }

  /**
   * Evaluates something as part of the operation just performed: no point lies between.
   *
   * @param isOwn whether it is the operation itself that asks, which may look into its lock
   */
  implied<T>(body: () => T, isOwn = false): T {
    this.#checking = true
    this.#asks = isOwn
    try {
      return this.ghost(body)
    } finally {
      this.#checking = false
      this.#asks = false
      this.log = []
      this.#fed = 0
    }
  }

  /** Where the code that runs now was last known to be. */
  get place(): SourcePlace | null {
    return this.#system.runtime.place(this.stack.at(-1)?.site ?? 0)
  }

  read(field: Field): number {
    const fed = this.#beforeAccess(field, false)
    if (fed !== null) return fed >>> 0 // a log is kept in 32 bits with a sign
    const raw = this.#load(field)
    if (
      this.#mode === 'ghost' &&
      !this.#asks &&
      this.#system.lockFields.hidden.has(field.id) &&
      !this.#isOwn(field, raw)
    )
      throw (this.#ended ??= new Refusal(hiddenLock(field), this.place))
    if (this.#mode === 'plain' || this.#mode === 'ghost')
      this.#logged(raw, this.#system.namings.numbers[field.id] as number)
    return raw
  }

  write(field: Field, raw: number): void {
    if (this.#beforeAccess(field, true) !== null) return
    if (this.#mode === 'ghost') throw new TypeError(`a property or ghost read writes ${field.name}`)
    if (this.#mode === 'plain') this.#logged(0, 0)
    this.writes.set(field.id, raw)
    this.observer.stored?.(field, raw)
  }

  writeHidden(field: Field, raw: number): void {
    if (!this.#feeding) this.writes.set(field.id, raw)
  }

  touch(alive: Field, name: string): void {
    this.#touched = { alive, name }
  }

  choose(n: number, what: string, names: readonly string[], among?: readonly object[]): number {
    if (this.#isFed()) {
      const fed = this.#nextFed()
      return among ? among.indexOf(this.#system.objects.objects[fed] as object) : fed
    }
    if (this.probing) this.#signal(null)
    if (this.evaluating) throw this.misplaced(`a choice (${what})`)
    if (this.#mode === 'ghost') throw new TypeError(`a choice (${what}) inside a property`)
    const scripted = this.#script[this.#choices] ?? 0
    const taken = typeof scripted === 'number' ? scripted : (among ?? []).indexOf(scripted.object)
    if (taken < 0) throw this.unstable()
    this.#choices++
    this.dependences.push({ on: 'choice', n, taken, among: among ?? null })
    if (among) this.#logged(this.#system.objects.indexOf(among[taken] as object), OBJECT)
    else this.#logged(taken, 0)
    this.observer.choice?.(what, names[taken] ?? `${taken + 1} of ${n}`, this.stack)
    return taken
  }

  switched(what: keyof Switches, by: 1 | -1): void {
    this.switches = switchedBy(this.switches, what, by)
  }

  handled(): void {
    const fault = leftOff(this.actor as Actor, this.switches)
    this.switches = NOTHING_OFF
    if (fault) this.violated(fault)
  }

  ghost<T>(body: () => T): T {
    const before = this.#mode
    this.#mode = 'ghost'
    try {
      return body()
    } finally {
      this.#mode = before
    }
  }

  violated(fault: Fault): void {
    if (this.seeks(fault)) this.fault(fault)
  }

  fault(fault: Fault): never {
    if (this.observer.access) this.faultPlace ??= this.#system.loaded.sourceMap.placeOf(new Error('place'))
    return this.#signal(fault)
  }

  /** A CPU's index is read: that tells it apart from others. */
  distinguish(what: object): void {
    this.#system.distinguished.set(what, this.place)
  }

  /** The refusal of something that an operand must not do. */
  misplaced(what: string): Refusal {
    return new Refusal(
      `${what} while the arguments of a guarded operation are evaluated, which happens at every attempt: move it into the guard or effect, or into a const before`,
      this.#system.runtime.place(this.#system.runtime.site),
    )
  }

  /** The refusal of a step that is not a function of what it read. */
  unstable(): Refusal {
    return new Refusal(
      'nondeterministic step: executing it again gave a different result; programs must not depend on the time, random numbers or other outside state',
      this.place,
    )
  }

  /** Whether the actor whose step runs is the one that a field of a lock names: no other actor changes that. */
  #isOwn({ type }: Field, raw: number): boolean {
    const { id } = this.actor as Actor
    return type.names?.form !== 'set' && namesActor(raw, 'one', id) // a set tells of others, too
  }

  #signal(fault: Fault | null): never {
    this.#system.runtime.signalled = true
    throw (this.#ended ??= new StepSignal(fault))
  }

  /** Whether accesses are still fed from the log of a virtual point. */
  #isFed(): boolean {
    if (this.#feeding && this.#fed === this.log.length) this.#feeding = false
    return this.#feeding && this.#class === null
  }

  /** Cuts before an access that must not share the step; returns the value fed for it by a log, if one does. */
  #beforeAccess(field: Field, isWrite: boolean): number | null {
    const touched = this.#touched
    this.#touched = null
    if (this.#isFed()) return this.#nextFed()
    if (this.evaluating && this.#mode === 'plain') {
      throw this.misplaced(`${field.name} is used`)
    }
    if (this.probing) this.#signal(null)
    if (this.#mode === 'plain') this.#plainAccess(field, isWrite, touched)
    else if (this.#mode === 'ghost') this.#ghostRead()
    else this.#atomicAccess(field, isWrite, touched)
    if (this.#class !== null && this.#mode !== 'ghost' && field.access !== 'internal' && field.access !== 'event')
      this.observer.access?.(field, isWrite, this.stack, this.#mode === 'once')
    if (touched && this.#load(touched.alive) === 0) {
      this.fault(usedAfterFree(touched.name, field.name))
    }
    return null
  }

  #ghostRead(): void {
    if (this.#class === null && !this.#checking && this.#bounds.cutsBeforeGhost) this.#signal(null)
  }

  /** An access inside an operation. */
  #atomicAccess(field: Field, isWrite: boolean, touched: { alive: Field } | null): void {
    if (isWrite && this.#guarding) throw new Refusal(`a guard writes ${field.name}: only the effect may`, this.place)
    if (field.access === 'internal') {
      if (!this.#closure && this.#class !== 'other' && this.#system.lockFields.observed.has(field.id))
        throw new Refusal(hiddenLock(field), this.place)
      if (!this.#closure) return
      throw new Refusal(
        `${field.name} is looked at from outside its lock's operations, which only a tryable lock allows: make it with { tryable: true }`,
        this.place,
      )
    }
    if (this.#class !== 'other' || field.access === 'volatile' || field.access === 'event') return
    const isUnchecked = (access: Field['access']): boolean =>
      this.#mode === 'once' && access === 'published' && !isWrite
    if (!isUnchecked(field.access)) this.atomic.push(field.id * 2 + (isWrite ? 1 : 0))
    if (touched && !isUnchecked(touched.alive.access)) this.atomic.push(touched.alive.id * 2)
  }

  #plainAccess(field: Field, isWrite: boolean, touched: { alive: Field } | null): void {
    if (field.access === 'internal') throw insideTouched(field.name)
    const bounds = this.#bounds
    if (bounds.cutsBefore(field.access, isWrite)) this.#signal(null)
    const isAtomic = isAtomicAccess(field.access, isWrite)
    if (bounds.isFresh && isAtomic) this.first = 'other'
    bounds.accessed(field.access, isWrite)
    if (isAtomic) {
      if (field.access === 'published') this.atomic.push(field.id * 2 + 1)
    } else if (!bounds.hasReleased) this.plain.push(field.id * 2 + (isWrite ? 1 : 0))
    if (touched && touched.alive !== field && !isAtomic && !bounds.hasReleased) this.plain.push(touched.alive.id * 2)
    this.observer.access?.(field, isWrite, this.stack, false)
  }

  #load(field: Field): number {
    const own = this.writes.get(field.id)
    if (own !== undefined) return own
    const raw = readCell(this.#words, this.#system.layout.cells[field.id] as never)
    if (!this.#read.has(field.id)) {
      this.#read.add(field.id)
      this.dependences.push({ on: 'field', field, raw })
    }
    return raw
  }

  #nextFed(): number {
    this.#fed += 2
    return this.log[this.#fed - 2] as number
  }

  #logged(value: number, naming: number): void {
    if (this.#class !== null) return
    this.log.push(value, naming)
    this.#fed = this.log.length
    if (this.log.length > 2 * MAX_LOG) {
      throw (this.#ended ??= new Refusal(
        `${MAX_LOG} shared accesses without a yield*: a loop over volatile fields? put yield* pause() or yield* when(...) into it`,
        this.#system.loaded.sourceMap.placeOf(new Error('place')),
      ))
    }
  }
}
