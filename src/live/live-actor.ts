import type { SourceMap } from '../runtime/source-map.ts'
import type { Actor } from '../model/actor.ts'
import { leaveCpu, sharesCpu } from '../semantics/dispatch.ts'
import { exceptionFault, leftOff } from '../semantics/faults.ts'
import type { MachineParts } from '../model/machine-parts.ts'
import type { Fault } from '../model/memory.ts'
import { Operation, WHERE } from '../model/operation.ts'
import { type Granularity, StepBounds } from '../semantics/step-bounds.ts'
import { NOTHING_OFF } from '../semantics/switches.ts'
import { Narration, type Whereabouts } from '../trace/narration.ts'
import { ACTOR, CONTROL, actorWords } from './memory/buffers.ts'
import { CpuTurns } from './cpu-turns.ts'
import type { Driver, Point, Wait } from './driver.ts'
import { Doubtful, Faulty, LiveMemory } from './live-memory.ts'
import { ReleaseChecks } from './release-checks.ts'
import { Abandoned, type Roster } from './memory/roster.ts'
import { Conflict, type SharedFields } from './memory/shared-fields.ts'
import type { StepLog } from './memory/step-log.ts'
import { type Attempted, Traffic } from './traffic.ts'
import { Transaction } from './memory/transaction.ts'
import { Waits } from './waits.ts'
import { whereaboutsOf } from './whereabouts.ts'

/** What a live actor is made of. */
export interface LiveActorParts {
  readonly actor: Actor
  readonly machine: MachineParts
  readonly sourceMap: SourceMap
  readonly granularity: Granularity
  readonly fields: SharedFields
  readonly roster: Roster
  readonly control: Int32Array
  readonly log: StepLog
  readonly driver: Driver
  /** Whether some check reports a fault. */
  readonly seeks: (fault: Fault) => boolean
}

/** How an actor's program ended in a round. */
export type Ending =
  | { readonly how: 'finished' | 'abandoned' }
  | { readonly how: 'fault'; readonly fault: Fault; readonly ticket: number }

/** A deciding about CPUs stands for an operation: its accesses belong to the transaction. */
const SCHEDULING = new Operation<void>({ name: 'CPU', operations: {} }, 'run')

/**
 * Runs one actor's program on this thread, with the JavaScript engine's own generators: plain code as it is, operations
 * each in a transaction, with the same points between steps as in the explorer.
 */
export class LiveActor implements Point {
  readonly #with: LiveActorParts
  readonly #memory: LiveMemory
  readonly #transaction: Transaction
  readonly #bounds: StepBounds
  readonly #releases: ReleaseChecks
  readonly #waits: Waits
  readonly #turns: CpuTurns
  #program: Generator<Operation<unknown>, unknown, unknown> | null = null
  /** The operation that the actor stands before, or is in. */
  #operation: Operation<unknown> | null = null
  /** What the operation performed last gives. */
  #result: unknown = undefined
  #ticket = -1
  /** Whether the program has come to a point in this round. */
  #hasArrived = false
  readonly #traffic = new Traffic()

  constructor(parts: LiveActorParts) {
    this.#with = parts
    const { actor, machine, fields, roster, driver, sourceMap } = parts
    this.#transaction = new Transaction(fields, roster)
    this.#bounds = new StepBounds(parts.granularity, parts.machine)
    this.#memory = new LiveMemory({
      actor,
      fields,
      transaction: this.#transaction,
      roster,
      bounds: this.#bounds,
      driver,
      sourceMap,
      seeks: parts.seeks,
      arrive: () => this.#arriveForAccess(),
      begin: () => this.#begin(),
      where: () => this.#where(),
    })
    this.#releases = new ReleaseChecks(parts, this.#memory)
    this.#waits = new Waits(parts)
    this.#turns = new CpuTurns(actor, machine.memory.fields.length, fields, this.#transaction, this.#memory)
  }

  /** Runs the program from its start to its end. */
  run(): Ending {
    const { actor, machine, roster, log, driver } = this.#with
    log.reset()
    driver.begin()
    this.#reset()
    machine.memory.port = this.#memory
    try {
      roster.pass()
      this.#program = actor.program() as Generator<Operation<unknown>, unknown, unknown>
      let answer: unknown
      for (;;) {
        const { done, value } = this.#program.next(answer)
        if (this.#memory.broken) throw new Faulty(this.#memory.broken)
        if (this.#memory.gone) throw this.#memory.gone
        if (done) break
        answer = this.#perform(value)
      }
      if (sharesCpu(actor)) this.#scheduling(() => leaveCpu(actor))
      const fault = leftOff(actor, this.#memory.switches)
      if (fault) this.#memory.fault(fault)
      this.#endStep()
      return { how: 'finished' }
    } catch (error) {
      return this.#ended(error)
    }
  }

  /** By name of an object: operations that took effect there, and attempts that were blocked, in all rounds. */
  get traffic(): ReadonlyMap<string, Attempted> {
    return this.#traffic.byName
  }

  look(): Wait | null {
    return this.#waits.of(this.#operation, this.#memory.switches, () => this.#where())
  }

  #reset(): void {
    this.#transaction.abort()
    this.#memory.operation = null
    this.#memory.broken = null
    this.#memory.gone = null
    this.#hasArrived = false
    this.#memory.inStep = false
    this.#memory.isAlone = this.#with.driver.isWatched
    this.#memory.isTrusting = false
    this.#memory.choices = []
    this.#memory.narration = new Narration()
    this.#memory.switches = NOTHING_OFF
    this.#operation = null
    this.#program = null
    this.#ticket = -1
  }

  #ended(error: unknown): Ending {
    this.#transaction.abort()
    this.#memory.operation = null
    if ((error instanceof Abandoned || this.#memory.gone instanceof Abandoned) && !this.#memory.broken) {
      this.#endAlone()
      this.#endStep()
      return { how: 'abandoned' }
    }
    const at = this.#with.sourceMap.placeOf(error)
    const fault = this.#memory.broken ?? exceptionFault(error, '', at)
    // what fails is a step, and takes its place while others that were stopped for it still stand
    if (this.#hasArrived && !this.#memory.inStep) this.#begin()
    this.#endAlone()
    if (!this.#hasArrived && !this.#firstStep()) return { how: 'abandoned' }
    if (this.#with.driver.isWatched) this.#memory.narration.fault(fault, at)
    const ticket = this.#ticket
    this.#endStep(fault)
    return { how: 'fault', fault, ticket }
  }

  /** One operation of the program, to its end: what `yield*` evaluates to. */
  #perform(operation: Operation<unknown>): unknown {
    const memory = this.#memory
    const { actor } = this.#with
    this.#operation = operation
    if (!memory.inStep || this.#bounds.cutsBeforeOperation(operation, actor)) this.#arrive()
    const [choices, events] = [memory.choices.length, memory.narration.events.length]
    for (;;) {
      try {
        const tried = this.#attempt(operation)
        if (tried === 'performed') {
          this.#traffic.of(operation).performed++
          this.#operation = null
          return this.#result
        }
        if (tried === 'blocked') {
          this.#traffic.of(operation).blocked++
          this.#with.driver.blocked(this)
          this.#with.roster.sleep()
        }
        if (tried === 'again') this.#transaction.abort()
        this.#arrive()
      } catch (thrown) {
        // code of the model may have caught what interrupts an attempt, and thrown something else
        const error = this.#transaction.interruption ?? thrown
        this.#transaction.abort()
        if (error instanceof Faulty || error instanceof Abandoned) throw error
        if (!(error instanceof Conflict || error instanceof Doubtful)) this.#failedIn(operation, error)
        memory.rewind(choices, events)
        if (error instanceof Conflict) this.#with.fields.awaitFree(error.field)
        else this.#beAlone()
      } finally {
        memory.operation = null
      }
    }
  }

  /** One attempt: `performed`, with its result in the field of that name; `blocked`; the CPU was left; or the guard, which makes choices, may hold with others. */
  #attempt(operation: Operation<unknown>): 'performed' | 'blocked' | 'left' | 'again' {
    const { actor, driver } = this.#with
    const { primitive, target, args } = operation
    const memory = this.#memory
    const startsStep = !memory.inStep
    const choices = memory.choices.length
    memory.operation = operation
    const places = memory.inStep ? null : this.#turns.places()
    if (places?.length === 0) return this.#blocked()
    memory.guarding = true
    const isEnabled = primitive.enabled?.(target, actor, args) ?? true
    memory.guarding = false
    if (!isEnabled && memory.choices.length > choices && !driver.isWatched) return 'again'
    if (!isEnabled) return primitive.yields && places && leaveCpu(actor) ? this.#left() : this.#blocked()
    if (driver.isWatched) memory.narration.operation(operation, this.#where())
    if (places) this.#turns.take(places)
    this.#result = primitive.perform(target, actor, args)
    this.#releases.check(operation)
    this.#transaction.validate()
    if (startsStep) this.#begin()
    this.#bounds.performed(operation)
    this.#transaction.commit()
    this.#endAlone()
    return 'performed'
  }

  /** What a guard or effect throws ends the step: it is no exception that the program could catch and continue from. */
  #failedIn({ title }: Operation<unknown>, error: unknown): never {
    return this.#memory.fault(exceptionFault(error, ` in ${title}`, this.#with.sourceMap.placeOf(error)))
  }

  #blocked(): 'blocked' {
    this.#transaction.watch()
    return 'blocked'
  }

  /** A sleeper gives its shared CPU up: a step of its own. */
  #left(): 'left' {
    this.#transaction.validate()
    this.#begin()
    this.#bounds.performedAs('other')
    this.#transaction.commit()
    return 'left'
  }

  /** Something did not hold while others were running: it is tried again while they stand. */
  #beAlone(): void {
    if (this.#with.roster.tryStop()) this.#memory.isAlone = true
    else this.#memory.isTrusting = true
  }

  #endAlone(): void {
    this.#memory.isTrusting = false
    if (!this.#memory.isAlone || this.#with.driver.isWatched) return
    this.#memory.isAlone = false
    this.#with.roster.resume()
  }

  /** A program fails before its first point: that is a step all the same. False when the round ends before it. */
  #firstStep(): boolean {
    try {
      this.#arrive()
      this.#begin()
      return true
    } catch (error) {
      if (error instanceof Abandoned) return false
      throw error
    }
  }

  /** At a point: the step before is done, and the next may be taken once this returns. */
  #arrive(): void {
    this.#endStep()
    this.#hasArrived = true
    this.#with.driver.pass(this)
  }

  /** At a point before a plain access or a choice, and on a CPU. */
  #arriveForAccess(): void {
    try {
      this.#arrive()
      if (this.#with.actor.cpu.state !== null) this.#getCpu()
    } catch (error) {
      this.#memory.gone = error as Error
      throw error
    }
  }

  #getCpu(): void {
    for (;;) {
      const placed = this.#scheduling(() => {
        const places = this.#turns.places() ?? []
        if (places.length > 0) this.#turns.take(places)
        else this.#transaction.watch()
        return places.length > 0
      })
      if (placed) return
      this.#with.driver.blocked(this)
      this.#with.roster.sleep()
      this.#arrive()
    }
  }

  /** Decides about CPUs, in a transaction of its own. */
  #scheduling<T>(body: () => T): T {
    this.#memory.operation = SCHEDULING
    try {
      return this.#transaction.run(body)
    } finally {
      this.#memory.operation = null
    }
  }

  /** A step takes its place among all; one that has only made choices so far takes it again. */
  #begin(): void {
    const { control, actor } = this.#with
    const steps = actorWords(actor.id) + ACTOR.steps
    control[steps] = (control[steps] as number) + 1
    this.#ticket = Atomics.add(control, CONTROL.ticket, 1)
    this.#bounds.begin(this.#with.actor)
    this.#memory.inStep = true
  }

  #endStep(fault: Fault | null = null): void {
    const memory = this.#memory
    if (memory.inStep || fault) {
      this.#turns.letGo()
      if (this.#ticket >= 0) this.#with.log.add(this.#ticket, memory.choices)
      this.#with.driver.done({ choices: memory.choices, events: memory.narration.events, fault })
    }
    memory.inStep = false
    memory.choices = []
    if (this.#with.driver.isWatched) memory.narration = new Narration()
  }

  /** Where in its code the actor stands: a program that waits in an operation tells. */
  #where(): Whereabouts {
    if (!this.#operation) return whereaboutsOf(new Error('place'), this.#with.sourceMap)
    const { value } = (this.#program as Generator<unknown, unknown, unknown>).next(WHERE)
    return value instanceof Error ? whereaboutsOf(value, this.#with.sourceMap) : { function: [], at: null }
  }
}
