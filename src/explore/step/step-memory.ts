import { Refusal, type SourcePlace } from '../../source/refusal.ts'
import type { Activation } from '../../runtime/runtime.ts'
import type { Actor } from '../../model/actor.ts'
import { leftOff, insideTouched, usedAfterFree } from '../../semantics/faults.ts'
import type { Field } from '../../model/field.ts'
import { namesOnly } from '../../semantics/holdings.ts'
import { NOTHING_OFF, type Switches, switchedBy } from '../../semantics/switches.ts'
import type { Fault, MemoryPort } from '../../model/memory.ts'
import { ClosureOperation, type Operation, type PrimitiveClass } from '../../model/operation.ts'
import { type Granularity, StepBounds, classOf, isAtomicAccess } from '../../semantics/step-bounds.ts'
import { readCell } from '../state/layout.ts'
import { OBJECT } from '../state/references.ts'
import type { System } from '../state/system.ts'
import { AccessLog } from './access-log.ts'
import { hiddenLock, misplaced, nondeterministic, notTryable } from './step-refusals.ts'
import type { StepObserver } from './step-observer.ts'
import { StepSignal } from './step-signal.ts'
import { StepWrites } from './step-writes.ts'
import type { Dependence, Script } from './step-record.ts'

type Mode = 'plain' | 'sync' | 'once' | 'ghost'

/**
 * The shared memory that one step sees: the stored state under the step's own writes. It records what the step
 * depended on, and ends the step before an access that must not share it (docs/soundness.md, "Steps").
 */
export class StepMemory implements MemoryPort {
  readonly #system: System
  /** Where the step ends. */
  readonly bounds: StepBounds
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
  writes: StepWrites = new StepWrites()
  /** Accesses since the actor could last be stored. */
  readonly log = new AccessLog()
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
  #touched: { alive: Field; name: string } | null = null
  /** What has ended the step: code of the model that runs while it unwinds cannot end it otherwise. */
  #ended: Error | null = null

  constructor(system: System, granularity: Granularity) {
    this.#system = system
    this.bounds = new StepBounds(granularity, system.machine)
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
    this.writes = new StepWrites()
    this.log.clear()
    this.probing = false
    this.switches = NOTHING_OFF
    this.#choices = 0
    this.#read = new Set()
    this.bounds.begin(actor)
    this.#checking = false
    this.#touched = null
    this.faultPlace = null
    this.#ended = null
    this.leaveOperation()
  }

  /** An operation is about to be tried; the log must be used up. */
  enterOperation(operation: Operation<unknown>): void {
    if (!this.log.close()) throw this.unstable()
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
    this.bounds.performed(operation)
    this.log.clear()
  }

  /** Whether an operation starts another step. */
  startsStep(operation: Operation<unknown>): boolean {
    return this.probing || this.bounds.cutsBeforeOperation(operation, this.actor as Actor)
  }

  /** Whether the model's plain code runs, and its next access is made rather than fed. */
  get isPlain(): boolean {
    return this.#class === null && this.#mode === 'plain' && !this.evaluating && !this.probing && !this.log.hasNext
  }

  /** Whether a guard is being evaluated. */
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
      this.log.clear()
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
    const hides = this.#mode === 'ghost' && !this.#asks && this.#system.lockFields.hidden.has(field.id)
    if (hides && !namesOnly(raw, field, this.actor as Actor))
      throw (this.#ended ??= new Refusal(hiddenLock(field), this.place))
    if (this.#mode === 'plain' || this.#mode === 'ghost')
      this.#logged(raw, this.#system.namings.numbers[field.id] as number)
    return raw
  }

  write(field: Field, raw: number, fault: Fault | null = null): void {
    if (this.#beforeAccess(field, true) !== null) return
    if (fault) this.fault(fault)
    if (this.#mode === 'ghost') throw new TypeError(`a property or ghost read writes ${field.name}`)
    if (this.#mode === 'plain') this.#logged(0, 0)
    this.writes.set(field.id, raw)
    this.observer.stored?.(field, raw)
  }

  writeHidden(field: Field, raw: number): void {
    if (!this.log.feeding) this.writes.set(field.id, raw)
  }

  touch(alive: Field, name: string): void {
    this.#touched = { alive, name }
  }

  choose(n: number, what: string, names: readonly string[], among?: readonly object[]): number {
    if (this.#isFed()) {
      const fed = this.log.next()
      return among ? among.indexOf(this.#system.objects.objects[fed] as object) : fed
    }
    if (this.probing) this.#signal(null)
    if (this.evaluating) throw this.misplaced(`a choice (${what})`)
    if (this.#mode === 'ghost') throw new TypeError(`a choice (${what}) inside a property`)
    const scripted = this.#script[this.#choices++] ?? 0
    const taken = typeof scripted === 'number' ? scripted : (among ?? []).indexOf(scripted.object)
    if (taken < 0) throw this.unstable()
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

  /** The refusal of what an operand must not do. */
  misplaced(what: string): Refusal {
    return misplaced(what, this.#system.runtime.place(this.#system.runtime.site))
  }

  /** The refusal of a step that is not a function of what it read. */
  readonly unstable = (): Refusal => nondeterministic(this.place)

  #signal(fault: Fault | null): never {
    this.#system.runtime.signalled = true
    throw (this.#ended ??= new StepSignal(fault))
  }

  #isFed(): boolean {
    return this.log.hasNext && this.#class === null
  }

  /** Cuts before an access that must not share the step; returns the value fed for it by a log, if one does. */
  #beforeAccess(field: Field, isWrite: boolean): number | null {
    const touched = this.#touched
    this.#touched = null
    if (this.#isFed()) return this.log.next()
    if (this.evaluating && this.#mode === 'plain') throw this.misplaced(`${field.name} is used`)
    if (this.probing) this.#signal(null)
    const isGhost = this.#mode === 'ghost'
    if (isGhost && this.#class === null && !this.#checking && this.bounds.cutsBeforeGhost) this.#signal(null)
    if (this.#mode === 'plain') this.#plainAccess(field, isWrite, touched)
    else if (!isGhost) this.#atomicAccess(field, isWrite, touched)
    if (this.#class !== null && this.#mode !== 'ghost' && field.access !== 'internal' && field.access !== 'event')
      this.observer.access?.(field, isWrite, this.stack, this.#mode === 'once')
    if (touched && this.#load(touched.alive) === 0) this.fault(usedAfterFree(touched.name, field.name))
    return null
  }

  /** An access inside an operation. */
  #atomicAccess(field: Field, isWrite: boolean, touched: { alive: Field } | null): void {
    if (isWrite && this.#guarding) throw new Refusal(`a guard writes ${field.name}: only the effect may`, this.place)
    if (field.access === 'internal') {
      if (!this.#closure && this.#class !== 'other' && this.#system.lockFields.observed.has(field.id))
        throw new Refusal(hiddenLock(field), this.place)
      if (!this.#closure) return
      throw new Refusal(notTryable(field), this.place)
    }
    if (this.#class !== 'other' || field.access === 'volatile' || field.access === 'event') return
    const isUnchecked = (access: Field['access']): boolean =>
      this.#mode === 'once' && access === 'published' && !isWrite
    if (!isUnchecked(field.access)) this.atomic.push(field.id * 2 + (isWrite ? 1 : 0))
    if (touched && !isUnchecked(touched.alive.access)) this.atomic.push(touched.alive.id * 2)
  }

  #plainAccess(field: Field, isWrite: boolean, touched: { alive: Field } | null): void {
    if (field.access === 'internal') throw insideTouched(field.name)
    const { bounds } = this
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
    const own = this.writes.all.get(field.id)
    if (own !== undefined) return own
    const raw = readCell(this.#words, this.#system.layout.cells[field.id] as never)
    if (!this.#read.has(field.id)) {
      this.#read.add(field.id)
      this.dependences.push({ on: 'field', field, raw })
    }
    return raw
  }

  #logged(value: number, naming: number): void {
    if (this.#class !== null) return
    try {
      this.log.add(value, naming, () => this.#system.loaded.sourceMap.placeOf(new Error('place')))
    } catch (error) {
      throw (this.#ended ??= error as Error)
    }
  }
}
