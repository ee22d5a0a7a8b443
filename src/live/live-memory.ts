import type { SourceMap } from '../runtime/source-map.ts'
import type { Actor } from '../model/actor.ts'
import { leftOff, insideTouched, usedAfterFree } from '../semantics/faults.ts'
import type { Field } from '../model/field.ts'
import type { PropertyResult } from '../model/property.ts'
import type { Fault, MemoryPort } from '../model/memory.ts'
import { ClosureOperation, type Operation } from '../model/operation.ts'
import { type StepBounds, isAtomicAccess } from '../semantics/step-bounds.ts'
import { NOTHING_OFF, type Switches, switchedBy } from '../semantics/switches.ts'
import { Narration, type Whereabouts } from '../trace/narration.ts'
import type { Driver } from './driver.ts'
import { Abandoned, type Roster } from './memory/roster.ts'
import { Conflict, type SharedFields } from './memory/shared-fields.ts'
import type { Transaction } from './memory/transaction.ts'
import { whereaboutsOf } from './whereabouts.ts'

/** Unwinds the model's code when its step ends in a fault. */
export class Faulty extends Error {
  readonly fault: Fault
  constructor(fault: Fault) {
    super(fault.message)
    this.fault = fault
  }
}

/** Unwinds an operation in which a property did not hold: it is tried again while all others stand at a point. */
export class Doubtful extends Error {}

/** An instance that is touched, and the field that says whether it is allocated. */
interface Touched {
  readonly alive: Field
  readonly name: string
}

/** Where accesses go: to the fields themselves, or to a transaction. */
interface Store {
  read(id: number): number
  write(id: number, raw: number): void
}

/** What a live actor's memory works with. */
export interface LiveMemoryParts {
  readonly actor: Actor
  readonly fields: SharedFields
  readonly transaction: Transaction
  readonly roster: Roster
  readonly bounds: StepBounds
  readonly driver: Driver
  readonly sourceMap: SourceMap
  /** Whether some check reports a fault: a step does not end in what no one looks for. */
  readonly seeks: (fault: Fault) => boolean
  /** Where the program waits in its operation. */
  readonly where: () => Whereabouts
  /** Ends the step in progress at a point before a plain access or a choice; returns when another may be begun. */
  readonly arrive: () => void
  /** Begins a step. */
  readonly begin: () => void
}

/** The shared memory as the program of one live actor sees it: plain accesses go to the fields, those of operations to their transaction. */
export class LiveMemory implements MemoryPort {
  readonly actor: Actor
  readonly #with: LiveMemoryParts
  /** The events of the present step, if the driver watches. */
  narration = new Narration()
  /** Alternatives taken in the present step. */
  choices: number[] = []
  /** Whether a step is in progress. */
  inStep = false
  /** A CPU is being chosen: nothing that the program does. */
  isPlacing = false
  /** Everybody else stands at a point. */
  isAlone = false
  /** What does not hold while others run is passed by: they could not be stopped. */
  isTrusting = false
  /** What the actor, alone on its CPU, has switched off, and how often. */
  switches: Switches = NOTHING_OFF
  /** The first fault: should code of the model catch it, the step ends in it all the same. */
  broken: Fault | null = null
  /** Why the program is left where it stands; code of the model that catches it gets no further. */
  gone: Error | null = null
  #operation: Operation<unknown> | null = null
  #isGhost = false
  /** The condition of an assertion is evaluated while others run. */
  #isJudging = false
  /** The guard of an operation is being evaluated. */
  guarding = false
  #touched: Touched | null = null

  constructor(parts: LiveMemoryParts) {
    this.#with = parts
    this.actor = parts.actor
  }

  /** An operation is about to be tried, or a decision about CPUs to be made; null: plain code continues. */
  set operation(operation: Operation<unknown> | null) {
    this.#operation = operation
    this.guarding = false
  }

  read(field: Field): number {
    const touched = this.#before(field, false)
    if (this.#isAtomic(field, false))
      return this.#atomically(field, false, () => this.#loadFrom(field, touched, this.#with.transaction))
    return this.#loadFrom(field, touched, this.#source)
  }

  write(field: Field, raw: number, fault: Fault | null = null): void {
    const touched = this.#before(field, true)
    const store = (to: Store): void => {
      if (touched && to.read(touched.alive.id) === 0) this.fault(usedAfterFree(touched.name, field.name))
      if (fault) this.fault(fault)
      to.write(field.id, raw)
    }
    if (this.#isAtomic(field, true)) this.#atomically(field, true, () => store(this.#with.transaction))
    else store(this.#source)
    if (this.#with.driver.isWatched) this.narration.stored(field, raw)
  }

  writeHidden(field: Field, raw: number): void {
    this.#source.write(field.id, raw)
  }

  touch(alive: Field, name: string): void {
    this.#touched = { alive, name }
  }

  choose(n: number, what: string, names: readonly string[]): number {
    const { driver } = this.#with
    this.#mustGoOn()
    if (!this.inStep && !this.#operation) this.#startStep()
    const taken = driver.choose(n)
    this.choices.push(taken)
    if (driver.isWatched)
      this.narration.choice(
        what,
        names[taken] ?? `${taken + 1} of ${n}`,
        this.isPlacing ? { function: [], at: null } : this.#where(),
      )
    return taken
  }

  ghost<T>(body: () => T): T {
    const before = this.#isGhost
    this.#isGhost = true
    try {
      return body()
    } finally {
      this.#isGhost = before
    }
  }

  /** What does not hold, or throws, while others are in the middle of their steps is looked at again while they stand. */
  judge(condition: () => PropertyResult): PropertyResult {
    if (this.isAlone) return this.ghost(condition)
    this.#isJudging = true
    try {
      if (this.ghost(condition) === true) return true
    } catch (error) {
      if (error instanceof Conflict || error instanceof Abandoned) throw error
    } finally {
      this.#isJudging = false
    }
    return this.#confirm(condition)
  }

  #confirm(condition: () => PropertyResult): PropertyResult {
    this.#mustGoOn()
    if (this.isTrusting) return true
    const { roster, transaction, bounds, begin } = this.#with
    if (this.#operation) return transaction.interrupt(new Doubtful('something does not hold'))
    if (!roster.tryStop()) return true
    this.isAlone = true
    try {
      // others have taken steps since this one began: if it has done nothing yet, it comes after them
      if (this.inStep && bounds.isFresh) begin()
      return this.ghost(condition)
    } finally {
      this.isAlone = false
      roster.resume()
    }
  }

  fault(fault: Fault): never {
    this.#mustGoOn()
    if (this.#isJudging) throw new Doubtful(fault.message)
    this.broken = fault
    throw new Faulty(fault)
  }

  switched(what: keyof Switches, by: 1 | -1): void {
    this.switches = switchedBy(this.switches, what, by)
  }

  handled(): void {
    const fault = leftOff(this.actor, this.switches)
    this.switches = NOTHING_OFF
    if (fault) this.violated(fault)
  }

  violated(fault: Fault): void {
    if (this.#with.seeks(fault)) this.fault(fault)
  }

  /** @throws what has ended the step, or the attempt, before: code of the model that caught it gets no further */
  #mustGoOn(): void {
    if (this.broken) throw new Faulty(this.broken)
    if (this.gone) throw this.gone
    if (this.#operation) this.#with.transaction.validate()
  }

  /** Forgets an attempt that was given up. */
  rewind(choices: number, events: number): void {
    this.choices.length = choices
    this.narration.events.length = events
  }

  /** Checks and tells an access before it is made; gives the instance touched, whose life is to be checked. */
  #before(field: Field, isWrite: boolean): Touched | null {
    const touched = this.#touched
    this.#touched = null
    this.#mustGoOn()
    if (this.#operation) this.#inOperation(field, isWrite, this.#operation)
    else if (this.#isGhost) this.#ghostRead()
    else this.#plainly(field, isWrite)
    if (touched && touched.alive !== field && !this.#isGhost) this.#with.driver.beforeAccess(touched.alive.id, false)
    return touched
  }

  #inOperation(field: Field, isWrite: boolean, operation: Operation<unknown>): void {
    if (this.#isGhost || field.access === 'internal' || field.access === 'event') return
    if (isWrite && this.guarding) throw new TypeError(`a guard writes ${field.name}: only the effect may`)
    this.#with.driver.beforeAccess(field.id, isWrite)
    if (this.#with.driver.isWatched)
      this.narration.access(field, isWrite, operation instanceof ClosureOperation && operation.reads === 'once', () =>
        this.#where(),
      )
  }

  #ghostRead(): void {
    if (!this.inStep || this.#with.bounds.cutsBeforeGhost) this.#startStep()
  }

  #plainly(field: Field, isWrite: boolean): void {
    if (field.access === 'internal') throw insideTouched(field.name)
    const { bounds, driver } = this.#with
    if (!this.inStep || bounds.cutsBefore(field.access, isWrite)) this.#startStep()
    driver.beforeAccess(field.id, isWrite)
    bounds.accessed(field.access, isWrite)
    if (driver.isWatched) this.narration.access(field, isWrite, false, () => this.#where())
  }

  #startStep(): void {
    this.#with.arrive()
    this.#with.begin()
  }

  /** Whether an access is plain code's, and atomic by itself. */
  #isAtomic(field: Field, isWrite: boolean): boolean {
    return !this.#operation && !this.#isGhost && isAtomicAccess(field.access, isWrite)
  }

  /** An access that others order theirs by: the step takes its place among all steps while the field is locked. */
  #atomically<T>(field: Field, isWrite: boolean, body: () => T): T {
    const { transaction, begin, bounds } = this.#with
    return transaction.run(() => {
      const result = body()
      begin()
      bounds.accessed(field.access, isWrite)
      return result
    })
  }

  /** Where accesses go. */
  get #source(): Store {
    return this.#operation ? this.#with.transaction : this.#with.fields
  }

  #loadFrom(field: Field, touched: Touched | null, store: Store): number {
    const raw = store.read(field.id)
    if (touched && store.read(touched.alive.id) === 0) this.fault(usedAfterFree(touched.name, field.name))
    return raw >>> 0
  }

  /** Where the code running is; of an operation's guard or effect, the functions are those that wait for the operation. */
  #where(): Whereabouts {
    const here = whereaboutsOf(new Error('place'), this.#with.sourceMap)
    if (!this.#operation) return here
    const { function: functions, at } = this.#with.where()
    return { function: functions, at: here.at ?? at }
  }
}
