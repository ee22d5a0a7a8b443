import {
  DELEGATE,
  Activation,
  type FunctionInfo,
  type LoweredFunction,
  MARK,
  STOP,
  type TryEntry,
} from './activation.ts'
import { Operation } from '../model/operation.ts'
import { isErrorOf, isKind, wordsOf } from '../source/thrown.ts'
import { Guarded } from './intrinsics.ts'
import { Refusal, type SourcePlace } from '../source/refusal.ts'
import type { Site } from '../source/sites.ts'
import { type View, Walk } from './walk.ts'

/** One numbered place of the loaded program. */
export interface RuntimeSite extends SourcePlace {
  readonly kind: Site[2]
  /** Whether it lies in a user's file. */
  readonly counted: boolean
}

/** Messages of the TypeErrors by which a frozen object refuses a change. */
export const CHANGE_REFUSED = /read only property|not extensible|Cannot delete property|Cannot redefine property/

/** Says where the step that runs ends before an access of the program's own. */
export interface Stops {
  /**
   * Whether the thread is to be stored before an access, or its accesses are to be remembered from there on only.
   * @param key of the property that is accessed
   */
  stops(object: unknown, key: unknown, isWrite: boolean): boolean
  /** Whether accesses are to be remembered from here on only. */
  anchors(): boolean
}

/** Loop turns allowed in one step before it is refused. */
export const STEP_TICKS = 1_000_000
const SETUP_TICKS = 50_000_000

/**
 * What lowered code calls: one object a loaded model, so that two models never share anything. It knows every
 * place, every generator function made during set-up, and what the step that runs has made.
 */
export class Runtime {
  readonly MARK: typeof MARK = MARK
  readonly sites: RuntimeSite[] = [{ file: '', line: 0, column: 0, kind: 'place', counted: false }]
  /** Generator functions made during set-up, in order; local states name them by index. */
  readonly functions: LoweredFunction[] = []
  readonly functionIndex: Map<unknown, number> = new Map()
  /** Of functions and classes made during set-up: what they capture. */
  readonly captures: Map<unknown, () => unknown[]> = new Map()
  /** By class: the values of its own static private fields. */
  readonly staticReaders: Map<object, () => unknown[]> = new Map()
  /** By class: the values of an instance's private fields. */
  readonly privateReaders: Map<object, (instance: object) => unknown[]> = new Map()
  /** Activations made in this step; each must be taken by a `yield*`. */
  readonly made: Activation[] = []
  /** Operations made in this step that no `yield*` has got; each must be. */
  readonly asked: Operation<unknown>[] = []
  /** Sites of branches and points reached, by site number; shared between threads when given. */
  coverage: Uint8Array = new Uint8Array(0)
  /** Whether a step runs; set-up otherwise. */
  stepping = false
  /** Set while the executor's signal unwinds the model's own code. */
  signalled = false
  /** Whether this step closed a loop that contains a point. */
  looped = false
  /** Whether this step closed a loop that contains no point, but may be stopped before an access. */
  circled = false
  /** Who says where the step ends; null: nothing is to be stored. */
  bounds: Stops | null = null
  /** Site of the `yield*` whose operand was evaluated last. */
  site = 0
  /** Test hook: what dead variables hold after a restore. */
  poison: unknown = undefined
  #step = 0
  #claimed = false
  #ticks = 0
  readonly #errors = new Guarded()
  /** The last site of a step that has changed a shared object that cannot be closed. */
  #tamperedAt: number | null = null

  /**
   * Claims the world for one machine: a second one would number functions and objects differently from other threads.
   * @throws Error when it has a machine already
   */
  claim(): void {
    if (this.#claimed) throw new Error('a loaded model makes one machine: load the bundle again for another')
    this.#claimed = true
  }

  /** Starts a step. */
  begin(): void {
    if (this.#tamperedAt !== null)
      throw new Refusal(
        'a program changes Error.stackTraceLimit or Error.prepareStackTrace, which no stored state would hold',
        this.place(this.#tamperedAt),
      )
    this.stepping = true
    this.signalled = false
    this.looped = false
    this.circled = false
    this.made.length = 0
    this.asked.length = 0
    this.#errors.look()
    this.#step++
    this.#ticks = 0
  }

  /** Ends a step. */
  end(): void {
    this.stepping = false
    if (this.#errors.restore()) this.#tamperedAt = this.site
    this.signalled = false
  }

  /** The place of a site. */
  place(site: number): SourcePlace | null {
    const found = this.sites[site]
    return found && found.line > 0 ? { file: found.file, line: found.line, column: found.column } : null
  }

  /** Lowered code: numbers a file's sites; returns the number of the first. */
  file(file: string, counted: boolean, sites: readonly Site[]): number {
    const base = this.sites.length
    for (const [line, column, kind] of sites) this.sites.push({ file, line, column, kind, counted })
    return base
  }

  /** Lowered code: a new activation. */
  activation(
    fn: LoweredFunction,
    body: (context: Activation) => unknown,
    tries: readonly TryEntry[],
    get: () => unknown[],
    set: (values: unknown[]) => void,
    info: FunctionInfo,
  ): Activation {
    const activation = new Activation(fn, info, body, tries, get, set)
    this.made.push(activation)
    this.tick(info.site, false, false)
    return activation
  }

  /** Lowered code: a generator function came to be. */
  define(fn: LoweredFunction, name: string, captures?: () => unknown[]): LoweredFunction {
    Object.defineProperty(fn, 'name', { value: name })
    if (!this.stepping) {
      this.functionIndex.set(fn, this.functions.length)
      this.functions.push(fn)
      if (captures) this.captures.set(fn, captures)
    }
    return fn
  }

  /** Lowered code: a plain function or class came to be. */
  closes<T>(value: T, captures: () => unknown[]): T {
    if (!this.stepping) this.captures.set(value, captures)
    return value
  }

  /** Lowered code: how to see the private fields of a class's instances, which may hold what programs must not change. */
  privates(owner: object, read: (instance: object) => unknown[]): void {
    if (!this.stepping) this.privateReaders.set(owner, read)
  }

  /** Whether an object has private fields, of whatever class. */
  hasPrivates(object: object): boolean {
    for (const read of this.privateReaders.values()) if (read(object).length > 0) return true
    return false
  }

  /** Lowered code: the same for a class's static private fields. */
  statics(owner: object, read: () => unknown[]): void {
    if (!this.stepping) this.staticReaders.set(owner, read)
  }

  /** Lowered code: the walk of a for-in loop. */
  walkKeys(value: unknown): Walk {
    return Walk.keysOf(value)
  }

  /** Lowered code: the walk of a for-of loop. */
  walk(site: number, value: unknown, hasPoint = true): Walk {
    return this.#refusing(() => Walk.over(value, this.place(site), hasPoint))
  }

  /** Lowered code: the walk of a for-of loop over `value.entries()` and its like. */
  walkView(site: number, value: unknown, view: View, hasPoint = true): Walk {
    return this.#refusing(() => Walk.view(value, view, this.place(site), hasPoint))
  }

  /** Lowered code: what an object pattern takes apart. */
  coercible(value: unknown): void {
    if (value === null || value === undefined) throw new TypeError(`Cannot destructure '${String(value)}'`)
  }

  /** Lowered code: a computed key of an object pattern. */
  key(value: unknown): string | symbol {
    return typeof value === 'symbol' ? value : String(value)
  }

  /** Lowered code: the rest of an object pattern. */
  others(value: object, keys: readonly PropertyKey[]): object {
    const left = keys.map((key) => (typeof key === 'symbol' ? key : String(key)))
    const rest: Record<PropertyKey, unknown> = { ...value }
    for (const key of left) delete rest[key]
    return rest
  }

  /** Lowered code: `self.method(...args)`, the method having been looked up before the arguments were evaluated. */
  call(method: unknown, self: unknown, ...args: readonly unknown[]): unknown {
    if (typeof method !== 'function') throw new TypeError('what is called is not a function')
    return Reflect.apply(method, self, args)
  }

  /** What is refused cannot be caught. */
  #refusing<T>(body: () => T): T {
    try {
      return body()
    } catch (error) {
      if (error instanceof Refusal) this.signalled = true
      throw error
    }
  }

  /** Lowered code: the operand of a `yield*` was evaluated. */
  at<T>(site: number, value: T): T {
    this.site = site
    if (site < this.coverage.length) this.coverage[site] = 1
    if (this.asked.length > 0 && value instanceof Operation) this.#take(value)
    return value
  }

  #take(operation: Operation<unknown>): void {
    const at = this.asked.lastIndexOf(operation)
    if (at >= 0) this.asked.splice(at, 1)
  }

  /** A model's code has made an operation. */
  asks<T extends Operation<unknown>>(operation: T): T {
    if (this.stepping) this.asked.push(operation)
    return operation
  }

  /** Lowered code: a value that is dropped, or only tested for being true. */
  used<T>(site: number, value: T): T {
    if (value instanceof Operation || (value instanceof Activation && !value.taken)) {
      this.signalled = true
      throw new Refusal('this makes an operation but does not execute it: did you forget yield*?', this.place(site))
    }
    return value
  }

  /** Lowered code: a branch was taken. */
  seen(site: number): void {
    if (site < this.coverage.length) this.coverage[site] = 1
  }

  /** Lowered code, before a property is read or written: whether to take the label there. */
  stops(object: unknown, key: unknown, isWrite: boolean): boolean {
    return this.bounds !== null && this.bounds.stops(object, key, isWrite)
  }

  /** Lowered code, before what may access fields out of sight: whether to take the label there. */
  anchors(): boolean {
    return this.bounds !== null && this.bounds.anchors()
  }

  /** Lowered code: one more turn of a loop. */
  tick(site: number, hasPoint: boolean, mayStop: boolean): void {
    if (hasPoint) this.looped = true
    if (mayStop) this.circled = true
    if (++this.#ticks > (this.stepping ? STEP_TICKS : SETUP_TICKS)) {
      this.#ticks = 0
      this.signalled = true
      throw new Refusal(
        this.stepping
          ? `a loop ran ${STEP_TICKS.toLocaleString('en')} turns without reaching a point: let others run in it, for instance by yield* pause()`
          : 'a loop in machine() does not seem to end',
        this.place(site),
      )
    }
  }

  /** Lowered code, first thing in a catch: the executor's signals are not the model's to catch. */
  pass(error: unknown): void {
    if (this.signalled || isKind(error, Refusal)) throw error
    // nor are those that the executor is going to refuse
    const isRefused = isErrorOf(TypeError, CHANGE_REFUSED, error) || isErrorOf(RangeError, /call stack/i, error)
    if (this.stepping && isRefused) {
      this.signalled = true
      throw new Refusal(`a program catches what is refused: ${wordsOf(error).message}`, this.place(this.site))
    }
  }

  /** Lowered code, first thing in a finally: whether the executor's signal is passing through. */
  unwinding(): boolean {
    return this.signalled
  }

  /** Lowered code: when the variables of a function came to be: 0 in set-up, else the step's number. */
  era(): number {
    return this.stepping ? this.#step : 0
  }

  /** Lowered code, before an object gets private fields of a derived class: which no stored state would hold, were it one that has been there before. */
  stamped(object: object, site: number): void {
    if (!this.stepping || !Object.isFrozen(object)) return
    this.signalled = true
    throw new Refusal(
      'a program gives private fields to an object made outside of it, which no stored state would hold: keep it in shared memory',
      this.place(site),
    )
  }

  /** Lowered code, before a variable of an outer function is assigned. */
  outer(era: number, site: number, name: string): void {
    if (!this.stepping || era === this.#step) return
    this.signalled = true
    throw new Refusal(
      `a program assigns "${name}", which lives outside of it and which no stored state would hold: keep it in shared memory or return it`,
      this.place(site),
    )
  }
}

/** What lowered code may hold of the runtime in a temporary variable across a point, as in `yield* f(yield* g())`. */
export function runtimeObjects(runtime: Runtime): object[] {
  const { at, call, coercible, key, others, walk, walkKeys, walkView } = Runtime.prototype
  return [runtime, at, call, coercible, key, others, walk, walkKeys, walkView]
}

export { DELEGATE, STOP, Activation, Walk }
export type { FunctionInfo, LoweredFunction }
