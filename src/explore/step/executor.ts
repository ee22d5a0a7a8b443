import { Refusal, type SourcePlace } from '../../source/refusal.ts'
import { DELEGATE, STOP, Activation } from '../../runtime/runtime.ts'
import type { Actor, Cpu } from '../../model/actor.ts'
import { leftOff } from '../../semantics/faults.ts'
import type { Property } from '../../model/property.ts'
import type { Fault } from '../../model/memory.ts'
import { ClosureOperation, Operation } from '../../model/operation.ts'
import { dispatch, leaveCpu, cpuChoice, sharesCpu } from '../../semantics/dispatch.ts'
import { type Granularity, classOf } from '../../semantics/step-bounds.ts'
import { NOTHING_OFF, type Switches } from '../../semantics/switches.ts'
import { isKind } from '../../source/thrown.ts'
import { LocalCodec } from '../state/local-codec.ts'
import { FINISHED, type LocalState } from '../state/local-form.ts'
import { Attempts } from './attempts.ts'
import { Exceptions } from './exceptions.ts'
import { Standing } from './standing.ts'
import { StepMemory } from './step-memory.ts'
import { StepStops } from './step-stops.ts'
import type { StepObserver } from './step-observer.ts'
import { MAX_DEPTH, notAProgram, refuseUnexecuted, unboundRecursion } from './step-refusals.ts'
import { StepSignal, isSignal } from './step-signal.ts'
import type { Script, StepRecord } from './step-record.ts'
import type { System } from '../state/system.ts'

/** Runs one step of one actor on the model's own code, and records what it did and why. One a thread. */
export class Executor {
  readonly #system: System
  readonly #codec: LocalCodec
  readonly #memory: StepMemory
  readonly #exceptions: Exceptions
  readonly #attempts: Attempts
  readonly #stops: StepStops
  #site = 0
  #switchesBefore: Switches = NOTHING_OFF
  /** Whether the operation that the step begins with may sleep. */
  #sleeps = false

  constructor(system: System, granularity: Granularity) {
    this.#system = system
    this.#codec = new LocalCodec(system.runtime, system.objects)
    this.#memory = new StepMemory(system, granularity)
    this.#exceptions = new Exceptions(this.#memory, system)
    this.#attempts = new Attempts(this.#memory, system, this.#exceptions)
    this.#stops = new StepStops(this.#memory, system, this.#codec)
  }

  /** Is told of what steps do. */
  set observer(observer: StepObserver) {
    this.#memory.observer = observer
  }

  /** Is told of every evaluation of a property inside a step. */
  set evaluated(evaluated: (property: Property, holds: boolean) => void) {
    this.#attempts.evaluated = evaluated
  }

  /** Says whether some check reports a fault: steps do not end in what no one looks for, where they can continue. */
  set seeks(seeks: (fault: Fault) => boolean) {
    this.#memory.seeks = seeks
  }

  /** Where the last observed fault happened, if that is known. */
  get faultPlace(): SourcePlace | null {
    return this.#memory.faultPlace
  }

  /** The local state in which an actor starts: before its first operation if it makes no access on the way, else not started. */
  initialLocal(actor: Actor): readonly number[] {
    const local = this.#probe(actor)
    const again = this.#probe(actor)
    if (local.length !== again.length || local.some((word, i) => word !== again[i])) throw this.unstable()
    return local
  }

  #probe(actor: Actor): readonly number[] {
    this.#reset(actor, new Int32Array(Math.ceil(this.#system.layout.bits / 32)), [])
    this.#memory.probing = true
    const record = this.#guarded(() => {
      this.#memory.stack = [this.#spawn(actor)]
      return this.#proceed()
    })
    return record.outcome === 'step' && record.local ? record.local : this.#codec.start([])
  }

  /**
   * Executes the step of `actor` from a local state and shared words, taking the scripted alternatives and then the
   * first ones.
   *
   * @param code the local state's encoding
   * @param isPlaced false: as if the actor had its CPU, even if another one has it
   * @throws Refusal for code that cannot be explored
   */
  execute(actor: Actor, code: Int32Array, words: Int32Array, script: Script, isPlaced = true): StepRecord {
    this.#reset(actor, words, script)
    return this.#guarded(() => this.#enter(code, isPlaced))
  }

  /** {@link execute} from a local state that was decoded before. */
  executeFrom(actor: Actor, standing: Standing, words: Int32Array, script: Script): StepRecord {
    this.#reset(actor, words, script, standing.switches)
    return this.#guarded(() => this.#tryAt({ at: 'operand', stack: standing.restore() }))
  }

  /** Executes steps as if every wait were granted. */
  granting<T>(body: () => T): T {
    return this.#attempts.granting(body)
  }

  /** The stack and operation that a local state waits at, for diagnosis. */
  inspect(actor: Actor, code: Int32Array, words: Int32Array): LocalState {
    this.#reset(actor, words, [])
    let state: LocalState = { at: 'finished' }
    this.#guarded(() => {
      state = this.#codec.decode(code)
      if (state.at === 'operand')
        state = { at: 'operation', stack: state.stack, operation: this.#attempts.evaluate(state.stack) }
      return this.#blocked()
    })
    return state
  }

  /** The refusal of a step that is not a function of what it read. */
  unstable(): Refusal {
    return this.#memory.unstable()
  }

  #reset(actor: Actor, words: Int32Array, script: Script, switches = NOTHING_OFF): void {
    this.#memory.begin(actor, words, script)
    this.#memory.switches = switches
    this.#stops.base = null
    this.#attempts.holders = 0
    this.#site = 0
    this.#switchesBefore = switches
    this.#sleeps = false
  }

  /** Runs with the step's memory being the machine's, and turns signals into records. */
  #guarded(body: () => StepRecord): StepRecord {
    const { memory } = this.#system.machine
    const { runtime } = this.#system
    const before = memory.port
    memory.port = this.#memory
    runtime.bounds = this.#stops
    runtime.begin()
    try {
      const record = body()
      refuseUnexecuted(runtime, this.#site)
      return record
    } catch (error) {
      if (isKind(error, Refusal) && !error.at) throw new Refusal(error.message, this.#exceptions.placeOf(error))
      if (isKind(error, StepSignal)) return error.fault ? this.#record('fault', null, error.fault) : this.#cut()
      throw error
    } finally {
      runtime.end()
      runtime.bounds = null
      memory.port = before
    }
  }

  #enter(code: Int32Array, isPlaced: boolean): StepRecord {
    const state = this.#codec.decode(code)
    this.#memory.switches = state.switches
    this.#switchesBefore = state.switches
    if (state.at === 'finished') return this.#blocked()
    if (state.at !== 'start') this.#site = state.stack.at(-1)?.site ?? 0
    const { actor } = this.#memory
    if (actor && isPlaced && sharesCpu(actor)) {
      const { cpus, holders } = this.#memory.scheduling(() => cpuChoice(actor))
      if (cpus.length === 0) {
        if (actor.cpus.length === 1) for (const holder of holders) this.#attempts.holders |= 1 << holder.id
        return this.#blocked()
      }
      if (state.at === 'operation' || state.at === 'operand') return this.#beginShared(actor, state, cpus, code)
      this.#dispatch(actor, cpus)
    }
    if (state.at === 'start') {
      this.#memory.log.feed(state.log)
      this.#memory.stack = [this.#spawn(this.#memory.actor as Actor)]
      return this.#proceed()
    }
    if (state.at === 'resume') {
      this.#memory.stack = state.stack
      this.#stops.base = this.#codec.afterOperation(state.stack, state.result)
      this.#memory.log.feed(state.log)
      ;(state.stack.at(-1) as Activation).v = state.result
      return this.#proceed()
    }
    return this.#tryAt(state)
  }

  /** Tries the operation that a local state waits at, and goes on from there. */
  #tryAt(state: LocalState & { at: 'operation' | 'operand' }): StepRecord {
    this.#site = state.stack.at(-1)?.site ?? 0
    this.#memory.stack = state.stack
    return this.#begin(state) ? this.#proceed() : this.#blocked()
  }

  /** The step of a thread that shares its CPU: it runs there if its operation can continue; a sleeper gives the CPU up. */
  #beginShared(
    actor: Actor,
    state: LocalState & { at: 'operation' | 'operand' },
    cpus: readonly Cpu[],
    code: Int32Array,
  ): StepRecord {
    this.#memory.stack = state.stack
    if (this.#begin(state, () => this.#dispatch(actor, cpus))) return this.#proceed()
    this.#memory.first = 'other'
    const hasLeft = this.#attempts.yields && this.#memory.scheduling(() => leaveCpu(actor))
    return hasLeft
      ? this.#record('step', [...this.#codec.withoutSwitches(code, this.#switchesBefore)], null)
      : this.#blocked()
  }

  /** Which of the CPUs that it may have the thread runs on is a choice. */
  #dispatch(actor: Actor, cpus: readonly Cpu[]): void {
    const { stack } = this.#memory
    this.#memory.stack = [] // nothing that the program does
    this.#memory.scheduling(() => {
      const chosen =
        cpus.length === 1
          ? 0
          : this.#memory.choose(
              cpus.length,
              `the CPU of ${actor.name}`,
              cpus.map(({ name }) => name),
            )
      dispatch(actor, cpus[chosen] as Cpu)
    })
    this.#memory.stack = stack
    this.#memory.writes.keep()
  }

  /** Tries the operation that a local state waits at; what it throws, the program sees. */
  #begin(state: LocalState & { at: 'operation' | 'operand' }, granting: () => void = () => {}): boolean {
    try {
      const operation = state.at === 'operand' ? this.#attempts.evaluate(state.stack) : state.operation
      this.#memory.first = classOf(operation, this.#system.machine)
      this.#sleeps = operation.primitive.yields ?? false
      const granted = this.#attempt(operation, granting)
      this.#memory.writes.keep()
      return granted
    } catch (error) {
      this.#exceptions.raise(error)
      return true
    }
  }

  #spawn(actor: Actor): Activation {
    const activation = actor.program() as unknown
    if (!(activation instanceof Activation)) throw notAProgram(actor)
    activation.taken = true
    return activation
  }

  /** Tries an operation, after which the local state starts again. */
  #attempt(operation: Operation<unknown>, granting: () => void = () => {}): boolean {
    if (!this.#attempts.attempt(operation, granting)) return false
    const { stack } = this.#memory
    this.#stops.base = this.#codec.afterOperation(stack, (stack.at(-1) as Activation).v)
    return true
  }

  /** Runs the model's code to the next point. */
  #proceed(): StepRecord {
    for (;;) {
      const top = this.#memory.stack.at(-1) as Activation
      try {
        const signal = top.run(isSignal, this.#stops.take)
        if (signal === STOP) return this.#cut()
        if (signal !== DELEGATE) {
          this.#memory.stack.pop()
          const caller = this.#memory.stack.at(-1)
          if (!caller) {
            this.#memory.scheduling(() => leaveCpu(this.#memory.actor as Actor))
            return this.#finish()
          }
          caller.v = top.result
          continue
        }
        top.site = this.#system.runtime.site
        const record = this.#delegate(top)
        if (record) return record
      } catch (error) {
        this.#exceptions.raise(error)
      }
    }
  }

  /** The program is through. */
  #finish(): StepRecord {
    const fault = leftOff(this.#memory.actor as Actor, this.#memory.switches)
    if (fault && this.#memory.seeks(fault)) return this.#record('fault', null, fault)
    this.#memory.switches = NOTHING_OFF
    return this.#record('step', FINISHED, null)
  }

  #delegate(top: Activation): StepRecord | null {
    const { delegate } = top
    if (delegate instanceof Activation) {
      if (delegate.taken) throw new Refusal('a generator is delegated to twice', this.#system.runtime.place(top.site))
      delegate.taken = true
      this.#memory.stack.push(delegate)
      if (this.#memory.stack.length > MAX_DEPTH) throw unboundRecursion(this.#system.runtime.place(top.site))
      return null
    }
    if (!(delegate instanceof Operation)) {
      throw new Refusal(
        'yield* of something that is neither an operation nor a generator function of the model',
        this.#system.runtime.place(top.site),
      )
    }
    if (!this.#memory.startsStep(delegate)) {
      this.#attempt(delegate)
      return null
    }
    if (delegate instanceof ClosureOperation && top.changedSinceMark)
      throw this.#memory.misplaced('a variable changes, or another operation is executed,')
    return this.#record('step', this.#codec.beforeOperation(this.#memory.stack, delegate), null)
  }

  #blocked(): StepRecord {
    return this.#record('blocked', null, null)
  }

  /** The step ends before an access: a virtual point. */
  #cut(): StepRecord {
    this.#system.runtime.looped ||= this.#system.runtime.circled
    return this.#record('step', this.#stops.code(), null)
  }

  #record(outcome: StepRecord['outcome'], local: readonly number[] | null, fault: Fault | null): StepRecord {
    const { dependences, writes, first, plain, atomic } = this.#memory
    return {
      dependences,
      outcome,
      writes: outcome === 'step' ? writes.all : new Map(),
      firstWrites: writes.first,
      local: local && this.#codec.withSwitches(local, this.#memory.switches),
      sleeps: this.#sleeps,
      switchedOff: this.#switchesBefore,
      fault,
      first,
      plain,
      atomic,
      looped: this.#system.runtime.looped,
      holders: this.#attempts.holders,
      site: this.#site,
    }
  }
}
