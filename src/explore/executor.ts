import { Refusal, type SourcePlace } from '../compile/refusal.ts'
import { CHANGE_REFUSED, DELEGATE, Frame } from '../compile/runtime.ts'
import type { Actor } from '../model/actor.ts'
import type { Field } from '../model/field.ts'
import type { Property } from '../model/machine.ts'
import type { Fault, MemoryPort } from '../model/memory.ts'
import { ClosureOperation, Operation, type PrimitiveClass } from '../model/operation.ts'
import { FINISHED, LocalCodec, type LocalState } from './encoding.ts'
import { readCell } from './layout.ts'
import type { System } from './system.ts'

/** Whether plain accesses share steps (`step`), or every access and operation is a step of its own (`access`). */
export type Granularity = 'step' | 'access'

/** Something the step's course depended on: a field's value, or an alternative taken. */
export type Dependence =
  | { readonly on: 'field'; readonly field: Field; readonly raw: number }
  | { readonly on: 'choice'; readonly n: number; readonly taken: number }

/** What a step did, as a function of its dependences. */
export interface StepRecord {
  readonly dependences: readonly Dependence[]
  readonly outcome: 'step' | 'blocked' | 'fault'
  /** Raw values written, by field id. */
  readonly writes: ReadonlyMap<number, number>
  /** Raw values written by the operation that the step began with. */
  readonly firstWrites: ReadonlyMap<number, number>
  /** Encoding of the local state reached; null unless the outcome is `step`. */
  readonly local: readonly number[] | null
  readonly fault: Fault | null
  /** What the step began with. */
  readonly first: PrimitiveClass | 'plain'
  /** Race-checked accesses before the first release: field id * 2, + 1 for a write. */
  readonly plain: readonly number[]
  /** Accesses of an operation of class `other` to fields outside synchronising objects, coded alike. */
  readonly atomic: readonly number[]
  readonly looped: boolean
  /** Of a blocked attempt: actors that alone could end the wait (mask of actor ids). */
  readonly holders: number
}

/** Told of what a step does while it is executed, for traces. */
export interface StepObserver {
  operation?(operation: Operation<unknown>, stack: readonly Frame[], site: number, blocked: boolean): void
  /** `once`: read by readOnce. */
  access?(field: Field, isWrite: boolean, stack: readonly Frame[], once: boolean): void
}

/** Unwinds the model's code when a step ends in the middle of a function. */
class StepSignal extends Error {
  readonly fault: Fault | null
  constructor(fault: Fault | null) {
    super(fault ? fault.message : 'cut')
    this.fault = fault
  }
}

type Mode = 'plain' | 'sync' | 'once' | 'ghost'

/** Depth of calls beyond which a recursion is taken to be without bound. */
const MAX_DEPTH = 200
/** Accesses between two points of the code beyond which a loop over volatile fields is refused. */
const MAX_LOG = 1000

/** Runs one step of one actor on the model's own code, and records what it did and why. One a thread. */
export class Executor implements MemoryPort {
  readonly #system: System
  readonly #codec: LocalCodec
  readonly #granularity: Granularity
  observer: StepObserver = {}
  /** Told of every evaluation of a property inside a step. */
  evaluated: (property: Property, holds: boolean) => void = () => {}

  /** Where the last observed fault happened, if that is known. */
  faultPlace: SourcePlace | null = null
  actor: Actor | null = null
  #words: Int32Array = new Int32Array(0)
  #script: readonly number[] = []
  #choices = 0
  #dependences: Dependence[] = []
  #read = new Set<number>()
  #overlay = new Map<number, number>()
  #firstWrites: ReadonlyMap<number, number> = new Map()
  #plain: number[] = []
  #atomic: number[] = []
  #mode: Mode = 'plain'
  #class: PrimitiveClass | null = null
  #released = false
  /** Shared accesses and operations so far. */
  #events = 0
  /** The next plain access ends the step before it. */
  #closed = false
  #probing = false
  /** An operand is evaluated anew: it must not touch shared memory. */
  #evaluating = false
  /** A guard is evaluated: it must not write. */
  #guarding = false
  /** The operation at work is made of the model's own closures. */
  #closure = false
  /** A `when-free` property is evaluated, as part of a release. */
  #checking = false
  #stack: Frame[] = []
  /** Encoding of the stack after its last operation; null: it has not had one. */
  #base: readonly number[] | null = null
  #log: number[] = []
  /** Accesses still fed from the log of a virtual point. */
  #fed = 0
  #feeding = false
  #touched: { alive: Field; name: string } | null = null
  #first: PrimitiveClass | 'plain' = 'plain'
  #holders = 0

  constructor(system: System, granularity: Granularity) {
    this.#system = system
    this.#codec = new LocalCodec(system.runtime, system.objects)
    this.#granularity = granularity
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
    this.#reset(actor, new Int32Array(this.#system.layout.words), [])
    this.#probing = true
    const record = this.#guarded(() => {
      this.#stack = [this.#spawn(actor)]
      return this.#proceed()
    })
    return record.outcome === 'step' && record.local ? record.local : this.#codec.start([])
  }

  /**
   * Executes the step of `actor` from a local state and shared words, taking the scripted alternatives and then the
   * first ones.
   *
   * @param code the local state's encoding
   * @throws Refusal for code that cannot be explored
   */
  execute(actor: Actor, code: Int32Array, words: Int32Array, script: readonly number[]): StepRecord {
    this.#reset(actor, words, script)
    return this.#guarded(() => this.#enter(code))
  }

  /** The stack and operation that a local state waits at, for diagnosis. */
  inspect(actor: Actor, code: Int32Array, words: Int32Array): LocalState {
    this.#reset(actor, words, [])
    let state: LocalState = { at: 'finished' }
    this.#guarded(() => {
      state = this.#codec.decode(code)
      if (state.at === 'operand') state = { at: 'operation', stack: state.stack, operation: this.#evaluate(state.stack) }
      return this.#blocked()
    })
    return state
  }

  #reset(actor: Actor, words: Int32Array, script: readonly number[]): void {
    this.actor = actor
    this.#words = words
    this.#script = script
    this.#choices = 0
    this.#dependences = []
    this.#read = new Set()
    this.#overlay = new Map()
    this.#firstWrites = new Map()
    this.#plain = []
    this.#atomic = []
    this.#mode = 'plain'
    this.#class = null
    this.#released = false
    this.#events = 0
    this.#closed = false
    this.#probing = false
    this.#evaluating = false
    this.#guarding = false
    this.#closure = false
    this.#checking = false
    this.#stack = []
    this.#base = null
    this.#log = []
    this.#fed = 0
    this.#feeding = false
    this.#touched = null
    this.#first = 'plain'
    this.#holders = 0
    this.faultPlace = null
  }

  /** Runs with this executor being the machine's memory, and turns signals into records. */
  #guarded(body: () => StepRecord): StepRecord {
    const { memory } = this.#system.machine
    const { runtime } = this.#system
    const before = memory.port
    memory.port = this
    runtime.begin()
    try {
      const record = body()
      const dropped = runtime.made.find((frame) => !frame.taken)
      if (dropped) throw new Refusal(`${dropped.info.name}(...) was called without yield*, so it did nothing: did you forget yield*?`, runtime.place(dropped.info.site))
      return record
    } catch (error) {
      if (error instanceof StepSignal) return error.fault ? this.#record('fault', null, error.fault) : this.#cut()
      throw error
    } finally {
      runtime.end()
      memory.port = before
    }
  }

  #enter(code: Int32Array): StepRecord {
    const state = this.#codec.decode(code)
    if (state.at === 'finished') return this.#blocked()
    if (state.at === 'start') {
      this.#feed(state.log)
      this.#stack = [this.#spawn(this.actor as Actor)]
      return this.#proceed()
    }
    this.#stack = state.stack
    if (state.at === 'resume') {
      this.#base = this.#codec.afterOperation(state.stack, state.result)
      this.#feed(state.log)
      ;(state.stack.at(-1) as Frame).v = state.result
      return this.#proceed()
    }
    return this.#begin(state) ? this.#proceed() : this.#blocked()
  }

  /** Tries the operation that a local state waits at; what it throws, the program sees. */
  #begin(state: LocalState & { at: 'operation' | 'operand' }): boolean {
    try {
      const operation = state.at === 'operand' ? this.#evaluate(state.stack) : state.operation
      this.#first = operation.primitive.class
      const granted = this.#attempt(operation)
      this.#firstWrites = new Map(this.#overlay)
      return granted
    } catch (error) {
      this.#raise(error)
      return true
    }
  }

  #feed(log: readonly number[]): void {
    this.#log = [...log]
    this.#feeding = log.length > 0
  }

  #spawn(actor: Actor): Frame {
    const frame = actor.program() as unknown
    if (!(frame instanceof Frame)) {
      throw new Refusal(`the program of ${actor.name} is not a generator function: write function* name() { ... }`, null)
    }
    frame.taken = true
    return frame
  }

  /** Evaluates the operand of a closure operation again, from its mark. */
  #evaluate(stack: readonly Frame[]): Operation<unknown> {
    const top = stack.at(-1) as Frame
    this.#stack = [...stack]
    this.#evaluating = true
    top.run(isSignal)
    this.#evaluating = false
    top.site = this.#system.runtime.site
    return top.delegate as Operation<unknown>
  }

  /** Tries an operation; on success its result is the value of the stack's `yield*`. */
  #attempt(operation: Operation<unknown>): boolean {
    const { primitive, target, args } = operation
    const actor = this.actor as Actor
    const top = this.#stack.at(-1) as Frame
    if (this.#feeding && this.#fed < this.#log.length) throw this.unstable()
    this.#feeding = false
    this.#mode = operation instanceof ClosureOperation ? operation.reads : 'sync'
    this.#class = primitive.class
    this.#closure = operation instanceof ClosureOperation
    const enabled = this.#insideOperation(operation, () => {
      this.#guarding = true
      return primitive.enabled?.(target, actor, args) ?? true
    })
    this.#guarding = false
    if (!enabled) for (const holder of primitive.holders?.(target, actor, args) ?? []) this.#holders |= 1 << holder.id
    this.observer.operation?.(operation, this.#stack, top.site, !enabled)
    if (enabled) top.v = this.#insideOperation(operation, () => primitive.perform(target, actor, args))
    this.#mode = 'plain'
    this.#class = null
    if (!enabled) return false
    this.#events++
    if (primitive.class !== 'acquire') this.#closed = true
    if (primitive.class === 'release') this.#released = true
    if (this.#isFreed(operation, actor)) this.#checkWhenFree(target)
    this.#base = this.#codec.afterOperation(this.#stack, top.v)
    this.#log = []
    this.#fed = 0
    this.#feeding = false
    return true
  }

  /** Whether the operation has given its lock back. */
  #isFreed({ primitive, target }: Operation<unknown>, actor: Actor): boolean {
    const { frees } = primitive
    if (!frees) return primitive.class === 'release'
    this.#checking = true
    const isFreed = this.ghost(() => frees(target, actor))
    this.#checking = false
    return isFreed
  }

  /** What a guard or effect throws is no exception that the program could catch and go on from: it ends the step. */
  #insideOperation<T>(operation: Operation<unknown>, body: () => T): T {
    try {
      return body()
    } catch (error) {
      if (isSignal(error)) throw error
      this.#refuseChange(error)
      this.#mode = 'plain'
      return this.#exception(error, ` in ${[operation.operation, operation.target.name].join(' ').trim()}`)
    }
  }

  #checkWhenFree(target: object): void {
    for (const property of this.#system.machine.properties) {
      if (property.form !== 'when-free' || property.lock !== target) continue
      this.#checking = true
      const holds = this.ghost(() => evaluate(property))
      this.#checking = false
      this.evaluated(property, holds)
      if (!holds) {
        this.fault({ kind: 'invariant', property: property.name, message: `"${property.name}" does not hold when ${property.lock?.name} is released` })
      }
    }
  }

  /** Runs the model's code to the next point. */
  #proceed(): StepRecord {
    for (;;) {
      const top = this.#stack.at(-1) as Frame
      try {
        if (top.run(isSignal) !== DELEGATE) {
          this.#stack.pop()
          const caller = this.#stack.at(-1)
          if (!caller) return this.#record('step', FINISHED, null)
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

  #delegate(top: Frame): StepRecord | null {
    const { delegate } = top
    if (delegate instanceof Frame) {
      if (delegate.taken) throw new Refusal('a generator is delegated to twice', this.#system.runtime.place(top.site))
      delegate.taken = true
      this.#stack.push(delegate)
      if (this.#stack.length > MAX_DEPTH) {
        throw new Refusal(`calls are nested more than ${MAX_DEPTH} deep: a recursion without bound?`, this.#system.runtime.place(top.site))
      }
      return null
    }
    if (!(delegate instanceof Operation)) {
      throw new Refusal('yield* of something that is neither an operation nor a generator function of the model', this.#system.runtime.place(top.site))
    }
    if (delegate.primitive.class === 'release' && this.#granularity === 'step' && !this.#probing) {
      this.#attempt(delegate)
      return null
    }
    if (delegate instanceof ClosureOperation && top.changedSinceMark) throw this.#misplaced('a variable changes, or another operation is executed,')
    return this.#record('step', this.#codec.beforeOperation(this.#stack, delegate), null)
  }

  /** Passes an exception of the model's code up its call stack; at the bottom it is a violation. */
  #raise(error: unknown): void {
    if (isSignal(error)) throw error
    const { runtime } = this.#system
    const place = runtime.place(this.#stack.at(-1)?.site ?? 0)
    if (error instanceof RangeError && /call stack/i.test(error.message)) throw new Refusal('a recursion without bound', this.#system.loaded.sourceMap.placeOf(error) ?? place)
    this.#refuseChange(error)
    this.#mode = 'plain'
    this.#class = null
    this.#evaluating = false
    for (this.#dropFinished(); this.#stack.length > 0; this.#stack.pop()) {
      try {
        ;(this.#stack.at(-1) as Frame).raise(error)
        return
      } catch (again) {
        if (again !== error) throw again
      }
    }
    this.#exception(error, '')
  }

  #exception(error: unknown, where: string): never {
    const { name, message } = error instanceof Error ? error : { name: 'thrown', message: String(error) }
    const at = this.#system.loaded.sourceMap.placeOf(error)
    if (at) this.faultPlace = at
    return this.fault({ kind: 'exception', property: 'no exception', message: `${name}: ${message}${where}${at ? ` (${at.file}:${at.line})` : ''}` })
  }

  /** Refuses what freezing caught: a program that changes what was made before it. */
  #refuseChange(error: unknown): void {
    if (!(error instanceof TypeError) || !CHANGE_REFUSED.test(error.message)) return
    const { runtime, loaded } = this.#system
    throw new Refusal(
      `a program changes an object made outside of it, which no stored state would hold (${error.message}): keep it in shared memory`,
      loaded.sourceMap.placeOf(error) ?? runtime.place(this.#stack.at(-1)?.site ?? 0),
    )
  }

  /** An activation that an exception has left is not to see it again. */
  #dropFinished(): void {
    while (this.#stack.at(-1)?.finished) this.#stack.pop()
  }

  #blocked(): StepRecord {
    return this.#record('blocked', null, null)
  }

  /** The step ends before an access: a virtual point. */
  #cut(): StepRecord {
    const local = this.#base ? this.#codec.withLog(this.#base, this.#log) : this.#codec.start(this.#log)
    return this.#record('step', local, null)
  }

  #record(outcome: StepRecord['outcome'], local: readonly number[] | null, fault: Fault | null): StepRecord {
    return {
      dependences: this.#dependences,
      outcome,
      writes: outcome === 'step' ? this.#overlay : new Map(),
      firstWrites: this.#firstWrites,
      local,
      fault,
      first: this.#first,
      plain: this.#plain,
      atomic: this.#atomic,
      looped: this.#system.runtime.looped,
      holders: this.#holders,
    }
  }

  // What the model's accesses come to: MemoryPort.

  read(field: Field): number {
    const fed = this.#beforeAccess(field, false)
    if (fed !== null) return fed
    const raw = this.#load(field)
    if (this.#mode === 'plain' || this.#mode === 'ghost') this.#logged(raw)
    return raw
  }

  write(field: Field, raw: number): void {
    if (this.#beforeAccess(field, true) !== null) return
    if (this.#mode === 'ghost') throw new TypeError(`a property or ghost read writes ${field.name}`)
    if (this.#mode === 'plain') this.#logged(0)
    this.#overlay.set(field.id, raw)
  }

  writeHidden(field: Field, raw: number): void {
    if (!this.#feeding) this.#overlay.set(field.id, raw)
  }

  touch(alive: Field, name: string): void {
    this.#touched = { alive, name }
  }

  choose(n: number, what: string): number {
    if (this.#isFed()) return this.#log[this.#fed++] as number
    if (this.#probing) this.#signal(null)
    if (this.#evaluating) throw this.#misplaced(`a choice (${what})`)
    if (this.#mode === 'ghost') throw new TypeError(`a choice (${what}) inside a property`)
    const taken = this.#script[this.#choices] ?? 0
    this.#choices++
    this.#dependences.push({ on: 'choice', n, taken })
    this.#logged(taken)
    return taken
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

  fault(fault: Fault): never {
    if (this.observer.access) this.faultPlace ??= this.#system.loaded.sourceMap.placeOf(new Error('place'))
    return this.#signal(fault)
  }

  #misplaced(what: string): Refusal {
    return new Refusal(`${what} while the arguments of a guarded operation are evaluated, which happens at every attempt: move it into the guard or effect, or into a const before`, this.#system.runtime.place(this.#system.runtime.site))
  }

  /** The refusal of a step that is not a function of what it read. */
  unstable(): Refusal {
    return new Refusal('a step took another course when it was run again: programs must not depend on the time, random numbers or other outside state', this.#system.runtime.place(this.#stack.at(-1)?.site ?? 0))
  }

  #signal(fault: Fault | null): never {
    this.#system.runtime.signalled = true
    throw new StepSignal(fault)
  }

  /** Whether accesses are still fed from the log of a virtual point. */
  #isFed(): boolean {
    if (this.#feeding && this.#fed === this.#log.length) this.#feeding = false
    return this.#feeding && this.#class === null
  }

  /** Cuts before an access that must not share the step; returns the value fed for it by a log, if one does. */
  #beforeAccess(field: Field, isWrite: boolean): number | null {
    const touched = this.#touched
    this.#touched = null
    if (this.#isFed()) return this.#log[this.#fed++] as number
    if (this.#evaluating && this.#mode === 'plain') {
      throw this.#misplaced(`${field.name} is used`)
    }
    if (this.#probing) this.#signal(null)
    if (this.#mode === 'plain') this.#plainAccess(field, isWrite, touched)
    else if (this.#mode === 'ghost') this.#ghostRead()
    else this.#atomicAccess(field, isWrite, touched)
    if (this.#class !== null && this.#mode !== 'ghost' && field.access !== 'internal' && field.access !== 'event') this.observer.access?.(field, isWrite, this.#stack, this.#mode === 'once')
    if (touched && this.#load(touched.alive) === 0) {
      this.fault({ kind: 'use-after-free', property: touched.name, message: `${touched.name} is used after it was freed (${field.name})` })
    }
    return null
  }

  /** A ghost read sees the state at a point like any other: not what held when an earlier release or atomic action took effect. */
  #ghostRead(): void {
    if (this.#class !== null || this.#checking) return
    if (this.#granularity === 'access' ? this.#events > 0 : this.#closed) this.#signal(null)
  }

  /** An access inside an operation. */
  #atomicAccess(field: Field, isWrite: boolean, touched: { alive: Field } | null): void {
    if (isWrite && this.#guarding) throw new Refusal(`a guard writes ${field.name}: only the effect may`, this.#system.runtime.place(this.#stack.at(-1)?.site ?? 0))
    if (field.access === 'internal') {
      if (!this.#closure) return
      throw new Refusal(`${field.name} is looked at from outside its lock's operations, which only a tryable lock allows: make it with { tryable: true }`, this.#system.runtime.place(this.#stack.at(-1)?.site ?? 0))
    }
    if (this.#class !== 'other' || field.access === 'volatile' || field.access === 'event') return
    const isUnchecked = (access: Field['access']): boolean => this.#mode === 'once' && access === 'published' && !isWrite
    if (!isUnchecked(field.access)) this.#atomic.push(field.id * 2 + (isWrite ? 1 : 0))
    if (touched && !isUnchecked(touched.alive.access)) this.#atomic.push(touched.alive.id * 2)
  }

  #plainAccess(field: Field, isWrite: boolean, touched: { alive: Field } | null): void {
    if (field.access === 'internal') throw new TypeError(`${field.name} is the inside of a synchronising object: use its operations`)
    const isOther = field.access === 'volatile' || field.access === 'event' || (field.access === 'published' && isWrite)
    if (this.#granularity === 'access' ? this.#events > 0 : isOther ? this.#events > 0 : this.#closed) this.#signal(null)
    if (this.#events === 0 && isOther) this.#first = 'other'
    this.#events++
    if (isOther) {
      this.#closed = true
      if (field.access === 'published') this.#atomic.push(field.id * 2 + 1)
    } else if (!this.#released) this.#plain.push(field.id * 2 + (isWrite ? 1 : 0))
    if (touched && touched.alive !== field && !isOther && !this.#released) this.#plain.push(touched.alive.id * 2)
    this.observer.access?.(field, isWrite, this.#stack, false)
  }

  #load(field: Field): number {
    const own = this.#overlay.get(field.id)
    if (own !== undefined) return own
    const raw = readCell(this.#words, this.#system.layout.cells[field.id] as never)
    if (!this.#read.has(field.id)) {
      this.#read.add(field.id)
      this.#dependences.push({ on: 'field', field, raw })
    }
    return raw
  }

  #logged(value: number): void {
    if (this.#class !== null) return
    this.#log.push(value)
    this.#fed = this.#log.length
    if (this.#log.length > MAX_LOG) {
      throw new Refusal(`${MAX_LOG} shared accesses without a yield*: a loop over volatile fields? put yield* pause() or yield* when(...) into it`, this.#system.loaded.sourceMap.placeOf(new Error('place')))
    }
  }
}

function isSignal(error: unknown): boolean {
  return error instanceof StepSignal || error instanceof Refusal
}

/** Whether a property holds; anything but true or false is refused. */
export function evaluate(property: Property): boolean {
  const holds = property.holds() as unknown
  if (typeof holds !== 'boolean') throw new TypeError(`property "${property.name}" gives ${typeof holds}: it must give true or false`)
  return holds
}
