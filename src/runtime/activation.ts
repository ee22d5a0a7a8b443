import { Refusal } from '../source/refusal.ts'

/** Completion types of regenerator's code: how control leaves a try block. */
const THROW = 1
const RETURN = 2
const JUMP = 3

/**
 * One row of a lowered function's try table: labels of the try block, its handler, its finalizer and what follows,
 * then the completion (type and value) that waits for the finalizer to finish.
 */
export type TryEntry = [number, (number | undefined)?, (number | undefined)?, (number | undefined)?, number?, unknown?]

/** What a function's body returned: it continues at `n`, it marks the place before an operand, it delegates, or it stops before an access. */
export type Signal = typeof GO_ON | typeof MARK | typeof DELEGATE | typeof STOP

/** Returned by a lowered body after a completion was dispatched: run it again at label `n`. */
export const GO_ON: unique symbol = Symbol('go on')
/** Yielded before the operand of every `yield*` is evaluated. */
export const MARK: unique symbol = Symbol('mark')
/** Returned by a lowered body that has set `delegate`. */
export const DELEGATE: unique symbol = Symbol('delegate')

/** A function stops before an access, which belongs to another step. */
export const STOP: unique symbol = Symbol('stop')

/** What the lowering knows of a generator function. */
export interface FunctionInfo {
  /** As the kernel calls it. */
  readonly name: string
  /** Site number of its declaration. */
  readonly site: number
  /** Its variables (parameters first), by slot. */
  readonly slots: readonly string[]
  /** Slots live at each label, by label. */
  readonly live: Readonly<Record<number, readonly number[]>>
}

/** A lowered generator function. */
export type LoweredFunction = ((...args: never[]) => Activation) & { readonly name: string }

/** One activation of a lowered generator function: what regenerator's code calls its context. */
export class Activation {
  readonly fn: LoweredFunction
  readonly info: FunctionInfo
  readonly #body: (context: Activation) => unknown
  readonly #get: () => unknown[]
  readonly #set: (values: unknown[]) => void
  /** Label to continue at; -1 when finished. */
  n = 0
  /** Label of the innermost region entered (regenerator's `prev`). */
  p = 0
  /** What the last `yield*` gave, or the exception caught. */
  v: unknown = undefined
  tries: TryEntry[]
  delegate: unknown = undefined
  /** Label before the operand of the current `yield*`; -1 when the operand itself contained a point. */
  mark = -1
  #slotsAtMark: unknown[] = []
  /** Site number of the current `yield*`, or 0. */
  site = 0
  /** Whether some `yield*` has taken it. */
  taken = false
  result: unknown = undefined

  constructor(
    fn: LoweredFunction,
    info: FunctionInfo,
    body: (context: Activation) => unknown,
    tries: readonly TryEntry[],
    get: () => unknown[],
    set: (values: unknown[]) => void,
  ) {
    this.fn = fn
    this.info = info
    this.#body = body
    this.#get = get
    this.#set = set
    this.tries = tries.map((entry) => [...entry] as TryEntry)
  }

  /** The values of all variables by slot. */
  get slots(): unknown[] {
    return this.#get()
  }

  set slots(values: unknown[]) {
    this.#set(values)
  }

  /** Whether the operand evaluated since the mark changed a variable that it starts from. */
  get changedSinceMark(): boolean {
    if (this.mark < 0) return true
    const now = this.#get()
    return (this.info.live[this.mark] ?? []).some((slot) => !Object.is(now[slot], this.#slotsAtMark[slot]))
  }

  /** Whether the function has returned. */
  get finished(): boolean {
    return this.n < 0
  }

  /**
   * Runs to the next delegation or to the end, or to a label before an access at which it is to stop. Exceptions for
   * which `passes` holds are not shown to the code.
   *
   * @param stops is asked at every such label, with its site
   */
  run(passes: (error: unknown) => boolean, stops: (site: number) => boolean = () => false): Signal {
    this.mark = -1
    for (;;) {
      let outcome: unknown
      try {
        outcome = this.#body(this)
      } catch (error) {
        if (passes(error)) throw error
        this.#complete(THROW, error)
        continue
      }
      if (typeof outcome === 'number') {
        if (stops(outcome)) return STOP
        continue
      }
      if (outcome === MARK) {
        this.mark = this.n
        this.#slotsAtMark = this.#get()
        continue
      }
      if (outcome !== GO_ON || this.finished) return outcome as Signal
    }
  }

  /** Lets the code see an exception that came out of what it delegated to; throws it when nothing catches it. */
  raise(error: unknown): void {
    this.#complete(THROW, error)
  }

  /** Called by lowered code: completion of `type` (return, break or continue) with a value or label. */
  a(type: number, value?: unknown): typeof GO_ON {
    this.#complete(type, value)
    return GO_ON
  }

  /** Called by lowered code: the finalizer at `label` is through; what waited for it continues. */
  f(label: number): typeof GO_ON {
    const entry = this.tries.find(([, , finalizer]) => finalizer === label)
    if (!entry) throw new Error(`no finalizer at ${label}`)
    const [, , , after, type, value] = entry
    entry.length = 4
    if (type) this.#complete(type, value)
    else this.n = after as number
    return GO_ON
  }

  /** Called by lowered code: `yield*` of `value`; continues at `next`. */
  d(value: unknown, next: number): typeof DELEGATE {
    this.delegate = value
    this.n = next
    return DELEGATE
  }

  /** As an iterator of JavaScript's own, which a generator function without operations is: it gives nothing, and ends. */
  [Symbol.iterator](): Iterator<unknown> {
    return this
  }

  /** @throws Refusal when it comes to an operation */
  next(): IteratorResult<unknown> {
    this.taken = true
    if (this.finished) return { done: true, value: undefined }
    const signal = this.run(() => false)
    if (!this.finished || signal === DELEGATE)
      throw new Refusal(`${this.info.name} is used as an iterator and executes an operation: call it by yield*`, null)
    return { done: true, value: this.result }
  }

  /** Control continues at a label, or leaves the function (-1): what waits for finalizers that it leaves is forgotten. */
  #goTo(label: number): void {
    for (const entry of this.tries) {
      const [, , finalizer, after] = entry
      if (finalizer === undefined || after === undefined) continue
      const isWithin = (at: number): boolean => at >= finalizer && at < after
      if (isWithin(this.p) && !isWithin(label)) entry.length = 4
    }
    this.n = label
  }

  #complete(type: number, value: unknown): void {
    for (const entry of this.tries) {
      const [start, handler, finalizer] = entry
      if (start > this.p) continue
      if (type === THROW && handler !== undefined && this.p < handler) {
        this.#goTo(handler)
        this.v = value
        return
      }
      if (finalizer === undefined || this.p >= finalizer) continue
      if (type !== JUMP || start > (value as number) || (value as number) > finalizer) {
        this.#goTo(finalizer)
        entry[4] = type
        entry[5] = value
        return
      }
    }
    this.#goTo(type === JUMP ? (value as number) : -1)
    if (type === THROW) throw value
    if (type === RETURN) this.result = value
  }
}
