import { Refusal, type SourcePlace } from '../../source/refusal.ts'
import { CHANGE_REFUSED, DELEGATE, Activation } from '../../runtime/runtime.ts'
import type { Actor, Cpu } from '../../model/actor.ts'
import { brokenAtRelease, evaluate, exceptionFault, leftOff } from '../../semantics/faults.ts'
import type { Property } from '../../model/property.ts'
import type { Fault } from '../../model/memory.ts'
import { ClosureOperation, Operation } from '../../model/operation.ts'
import { dispatch, leaveCpu, cpuChoice, sharesCpu } from '../../semantics/dispatch.ts'
import { holdersOf, untold } from '../../semantics/awaited.ts'
import { type Granularity, classOf } from '../../semantics/step-bounds.ts'
import { NOTHING_OFF, type Switches } from '../../semantics/switches.ts'
import { article } from '../../source/texts.ts'
import { isErrorOf, isKind, wordsOf } from '../../source/thrown.ts'
import { LocalCodec } from '../state/local-codec.ts'
import { FINISHED, type LocalState } from '../state/local-form.ts'
import { type Script, StepMemory, type StepObserver, StepSignal, isSignal } from './step-memory.ts'
import { writeCell } from '../state/layout.ts'
import type { StepRecord } from './step-record.ts'
import type { System } from '../state/system.ts'

/** Depth of calls beyond which a recursion is taken to be without bound. */
const MAX_DEPTH = 200

/** Runs one step of one actor on the model's own code, and records what it did and why. One a thread. */
export class Executor {
  readonly #system: System
  readonly #codec: LocalCodec
  readonly #memory: StepMemory
  /** Told of every evaluation of a property inside a step. */
  evaluated: (property: Property, holds: boolean) => void = () => {}
  #firstWrites: ReadonlyMap<number, number> = new Map()
  /** Encoding of the stack after its last operation; null: it has not had one. */
  #base: readonly number[] | null = null
  #holders = 0
  #site = 0
  #switchesBefore: Switches = NOTHING_OFF
  /** Whether the operation that the step begins with may sleep. */
  #sleeps = false
  /** Every wait is granted: see {@link mayWrite}. */
  #grants = false
  /** Whether the operation tried last gives up a shared CPU while it is blocked. */
  #yields = false

  constructor(system: System, granularity: Granularity) {
    this.#system = system
    this.#codec = new LocalCodec(system.runtime, system.objects)
    this.#memory = new StepMemory(system, granularity)
  }

  /** Is told of what steps do. */
  set observer(observer: StepObserver) {
    this.#memory.observer = observer
  }

  /** Says whether some check reports a fault: steps do not end in what no one looks for, where they can continue. */
  set seeks(seeks: (fault: Fault) => boolean) {
    this.#memory.seeks = seeks
  }

  /** Where the last observed fault happened, if that is known. */
  get faultPlace(): SourcePlace | null {
    return this.#memory.faultPlace
  }

  /**
   * The local state in which an actor starts: before its first operation when it makes no shared access on the way,
   * else not started.
   */
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
   * @param isPlaced false: as if the actor had its CPU, whoever has it
   * @throws Refusal for code that cannot be explored
   */
  execute(actor: Actor, code: Int32Array, words: Int32Array, script: Script, isPlaced = true): StepRecord {
    this.#reset(actor, words, script)
    return this.#guarded(() => this.#enter(code, isPlaced))
  }

  /**
   * Whether an actor that could have its way everywhere would come to write one of some fields: its waits are granted,
   * and no other actor moves. For diagnosis: its code can still get there.
   *
   * @param budget steps at most
   */
  mayWrite(actor: Actor, code: Int32Array, words: Int32Array, fields: ReadonlySet<number>, budget = 500): boolean {
    const queue: { readonly code: Int32Array; readonly words: Int32Array }[] = [{ code, words }]
    const met = new Set<string>()
    this.#grants = true
    try {
      for (let at = queue.pop(); at && budget-- > 0; at = queue.pop()) {
        for (const script of this.#scripts(actor, at.code, at.words)) {
          const record = this.execute(actor, at.code, at.words, script, false)
          if (record.outcome !== 'step' || record.local === null) continue
          if ([...record.writes.keys()].some((id) => fields.has(id))) return true
          const next = at.words.slice()
          for (const [id, raw] of record.writes) writeCell(next, this.#system.layout.cells[id] as never, raw)
          const key = `${record.local.join()}|${next.join()}`
          if (met.has(key) || record.local.length === FINISHED.length) continue
          met.add(key)
          queue.push({ code: Int32Array.from(record.local), words: next })
        }
      }
      return false
    } catch {
      return false // what such a run comes to says nothing of the model
    } finally {
      this.#grants = false
    }
  }

  /** The first alternatives of a step's first choice, each followed by the first ones. */
  #scripts(actor: Actor, code: Int32Array, words: Int32Array): Script[] {
    const { dependences } = this.execute(actor, code, words, [], false)
    const choice = dependences.find(({ on }) => on === 'choice')
    return choice?.on === 'choice' ? Array.from({ length: choice.n }, (_, i) => [i]) : [[]]
  }

  /** The stack and operation that a local state waits at, for diagnosis. */
  inspect(actor: Actor, code: Int32Array, words: Int32Array): LocalState {
    this.#reset(actor, words, [])
    let state: LocalState = { at: 'finished' }
    this.#guarded(() => {
      state = this.#codec.decode(code)
      if (state.at === 'operand')
        state = { at: 'operation', stack: state.stack, operation: this.#evaluate(state.stack) }
      return this.#blocked()
    })
    return state
  }

  /** The refusal of a step that is not a function of what it read. */
  unstable(): Refusal {
    return this.#memory.unstable()
  }

  #reset(actor: Actor, words: Int32Array, script: Script): void {
    this.#memory.begin(actor, words, script)
    this.#firstWrites = new Map()
    this.#base = null
    this.#holders = 0
    this.#site = 0
    this.#switchesBefore = NOTHING_OFF
    this.#sleeps = false
  }

  /** Runs with the step's memory being the machine's, and turns signals into records. */
  #guarded(body: () => StepRecord): StepRecord {
    const { memory } = this.#system.machine
    const { runtime } = this.#system
    const before = memory.port
    memory.port = this.#memory
    runtime.begin()
    try {
      const record = body()
      const dropped = runtime.made.find((activation) => !activation.taken)
      if (dropped)
        throw new Refusal(
          `${dropped.info.name}(...) was called without yield*, so it did nothing: did you forget yield*?`,
          runtime.place(dropped.info.site),
        )
      const [asked] = runtime.asked
      if (asked)
        throw new Refusal(
          `${asked.title} is made, and not executed: did you forget yield*?`,
          runtime.place(this.#site || (runtime.made.at(-1)?.info.site ?? 0)),
        )
      return record
    } catch (error) {
      if (isKind(error, Refusal) && !error.at)
        throw new Refusal(error.message, this.#system.loaded.sourceMap.placeOf(error) ?? this.#memory.place)
      if (isKind(error, StepSignal)) return error.fault ? this.#record('fault', null, error.fault) : this.#cut()
      throw error
    } finally {
      runtime.end()
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
        if (actor.cpus.length === 1) for (const holder of holders) this.#holders |= 1 << holder.id
        return this.#blocked()
      }
      if (state.at === 'operation' || state.at === 'operand') return this.#beginShared(actor, state, cpus, code)
      this.#dispatch(actor, cpus)
    }
    if (state.at === 'start') {
      this.#memory.feed(state.log)
      this.#memory.stack = [this.#spawn(this.#memory.actor as Actor)]
      return this.#proceed()
    }
    this.#memory.stack = state.stack
    if (state.at === 'resume') {
      this.#base = this.#codec.afterOperation(state.stack, state.result)
      this.#memory.feed(state.log)
      ;(state.stack.at(-1) as Activation).v = state.result
      return this.#proceed()
    }
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
    const hasLeft = this.#yields && this.#memory.scheduling(() => leaveCpu(actor))
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
    this.#firstWrites = new Map(this.#memory.writes)
  }

  /** Tries the operation that a local state waits at; what it throws, the program sees. */
  #begin(state: LocalState & { at: 'operation' | 'operand' }, granting: () => void = () => {}): boolean {
    try {
      const operation = state.at === 'operand' ? this.#evaluate(state.stack) : state.operation
      this.#memory.first = classOf(operation, this.#system.machine)
      this.#sleeps = operation.primitive.yields ?? false
      const granted = this.#attempt(operation, granting)
      this.#firstWrites = new Map(this.#memory.writes)
      return granted
    } catch (error) {
      this.#raise(error)
      return true
    }
  }

  #spawn(actor: Actor): Activation {
    const activation = actor.program() as unknown
    if (!(activation instanceof Activation)) {
      throw new Refusal(
        `the program of ${actor.name} is not a generator function: write function* name() { ... }`,
        null,
      )
    }
    activation.taken = true
    return activation
  }

  /** Evaluates the operand of a closure operation again, from its mark. */
  #evaluate(stack: readonly Activation[]): Operation<unknown> {
    const top = stack.at(-1) as Activation
    this.#memory.stack = [...stack]
    this.#memory.evaluating = true
    top.run(isSignal)
    this.#memory.evaluating = false
    top.site = this.#system.runtime.site
    return top.delegate as Operation<unknown>
  }

  /** Tries an operation; on success its result is the value of the stack's `yield*`. */
  #attempt(operation: Operation<unknown>, granting: () => void = () => {}): boolean {
    const { primitive, target, args } = operation
    const actor = this.#memory.actor as Actor
    const top = this.#memory.stack.at(-1) as Activation
    this.#memory.enterOperation(operation)
    const enabled =
      this.#grants ||
      this.#insideOperation(operation, () => this.#memory.guard(() => primitive.enabled?.(target, actor, args) ?? true))
    if (typeof enabled !== 'boolean')
      throw new Refusal(
        `a guard gives ${article(typeof enabled)}: it must give true or false`,
        this.#system.runtime.place(top.site),
      )
    if (!enabled) this.#noteHolders(operation, actor)
    this.#memory.observer.operation?.(operation, this.#memory.stack, top.site, !enabled)
    if (enabled) {
      granting()
      top.v = this.#insideOperation(operation, () => primitive.perform(target, actor, args))
    }
    this.#memory.leaveOperation()
    this.#yields = primitive.yields ?? false
    if (!enabled) return false
    this.#memory.performed(operation)
    if (this.#memory.implied(() => primitive.frees?.(target, actor) ?? primitive.class === 'release', true))
      this.#checkWhenFree(target)
    this.#base = this.#codec.afterOperation(this.#memory.stack, top.v)
    return true
  }

  /** Who keeps an operation from continuing, as it says itself. */
  #noteHolders(operation: Operation<unknown>, actor: Actor): void {
    try {
      this.#memory.guard(() => {
        for (const holder of holdersOf(operation, actor) ?? []) this.#holders |= 1 << holder.id
        return true
      })
    } catch (error) {
      if (isSignal(error)) throw error
      throw new Refusal(untold(operation, error), this.#system.loaded.sourceMap.placeOf(error) ?? this.#memory.place)
    }
  }

  /** What a guard or effect throws is no exception that the program could catch and continue from: it ends the step. */
  #insideOperation<T>(operation: Operation<unknown>, body: () => T): T {
    try {
      return body()
    } catch (error) {
      if (isSignal(error)) throw error
      this.#refuseChange(error)
      this.#memory.leaveOperation()
      return this.#exception(error, ` in ${operation.title}`)
    }
  }

  #checkWhenFree(target: object): void {
    for (const property of this.#system.machine.properties) {
      if (property.form !== 'when-free' || property.lock !== target) continue
      const holds = this.#memory.implied(() => evaluate(property))
      this.evaluated(property, holds === true)
      if (holds !== true) {
        this.#memory.violated(brokenAtRelease(property, holds))
      }
    }
  }

  /** Runs the model's code to the next point. */
  #proceed(): StepRecord {
    for (;;) {
      const top = this.#memory.stack.at(-1) as Activation
      try {
        if (top.run(isSignal) !== DELEGATE) {
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
        this.#raise(error)
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
      if (this.#memory.stack.length > MAX_DEPTH) {
        throw new Refusal(
          `calls are nested more than ${MAX_DEPTH} deep: a recursion without bound?`,
          this.#system.runtime.place(top.site),
        )
      }
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

  /** Passes an exception of the model's code up its call stack; at the bottom it is a violation. */
  #raise(error: unknown): void {
    if (isSignal(error)) throw error
    const { place } = this.#memory
    if (isErrorOf(RangeError, /call stack/i, error))
      throw new Refusal('a recursion without bound', this.#system.loaded.sourceMap.placeOf(error) ?? place)
    this.#refuseChange(error)
    this.#memory.leaveOperation()
    for (this.#dropFinished(); this.#memory.stack.length > 0; this.#memory.stack.pop()) {
      try {
        ;(this.#memory.stack.at(-1) as Activation).raise(error)
        return
      } catch (again) {
        if (again !== error) throw again
      }
    }
    this.#exception(error, '')
  }

  #exception(error: unknown, where: string): never {
    const at = this.#system.loaded.sourceMap.placeOf(error)
    if (at) this.#memory.faultPlace = at
    return this.#memory.fault(exceptionFault(error, where, at))
  }

  /** Refuses what freezing caught: a program that changes what was made before it. */
  #refuseChange(error: unknown): void {
    if (!isErrorOf(TypeError, CHANGE_REFUSED, error)) return
    const { loaded } = this.#system
    throw new Refusal(
      `a program changes an object made outside of it, which no stored state would hold (${wordsOf(error).message}): keep it in shared memory`,
      loaded.sourceMap.placeOf(error) ?? this.#memory.place,
    )
  }

  /** An activation that an exception has left is not to see it again. */
  #dropFinished(): void {
    while (this.#memory.stack.at(-1)?.finished) this.#memory.stack.pop()
  }

  #blocked(): StepRecord {
    return this.#record('blocked', null, null)
  }

  /** The step ends before an access: a virtual point. */
  #cut(): StepRecord {
    const local = this.#base ? this.#codec.withLog(this.#base, this.#memory.log) : this.#codec.start(this.#memory.log)
    return this.#record('step', local, null)
  }

  #record(outcome: StepRecord['outcome'], local: readonly number[] | null, fault: Fault | null): StepRecord {
    const { dependences, writes, first, plain, atomic } = this.#memory
    return {
      dependences,
      outcome,
      writes: outcome === 'step' ? writes : new Map(),
      firstWrites: this.#firstWrites,
      local: local && this.#codec.withSwitches(local, this.#memory.switches),
      sleeps: this.#sleeps,
      switchedOff: this.#switchesBefore,
      fault,
      first,
      plain,
      atomic,
      looped: this.#system.runtime.looped,
      holders: this.#holders,
      site: this.#site,
    }
  }
}
