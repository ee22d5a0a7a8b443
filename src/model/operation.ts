import type { Actor } from './actor.ts'

/**
 * The class of a primitive; points, cuts, race check, happens-before and reductions derive from it.
 * - `acquire`: blocks until granted, "held" is not observable except by blocking, and the grant cannot be
 *   taken away. Point before it; plain accesses may follow in the same step.
 * - `release`: never blocks, only enables. No point before it; no plain access may follow it in its step.
 * - `other`: everything else. Point before it; a step of its own.
 */
export type PrimitiveClass = 'acquire' | 'release' | 'other'

/** One kind of synchronising operation on objects of type T. All functions run atomically. */
export interface Primitive<T extends object = object> {
  /** Its class: it decides which steps the operation may share. */
  readonly class: PrimitiveClass
  /** Whether the operation may continue now; absent: always. Must not write. */
  enabled?(target: T, actor: Actor, args: readonly unknown[]): boolean
  /** Takes effect and returns what `yield*` evaluates to. */
  perform(target: T, actor: Actor, args: readonly unknown[]): unknown
  /** Whether the lock is given back now that the operation has taken effect: `whenFree` invariants are due. Default: class `release`. */
  frees?(target: T, actor: Actor): boolean
  /** Actors that hold what a blocked attempt waits for: each has to act before it can continue, and no other actor can help. */
  holders?(target: T, actor: Actor, args: readonly unknown[]): readonly Actor[]
  /** Actors known to be the ones who would wake a blocked attempt (for reports). */
  wakers?(target: T, actor: Actor, args: readonly unknown[]): readonly Actor[]
  /** Whether a blocked attempt gives up a CPU that it shares with other threads; otherwise it spins there. */
  readonly yields?: boolean
  /** Whether a blocked attempt sleeps until it is woken, rather than until something is free. */
  readonly sleeps?: boolean
  /** One word for the trace beside the operation's name, such as `write`. */
  detail?(args: readonly unknown[], target: T): string
}

/** An object with synchronising operations: a lock, a wait channel. */
export interface SyncObject {
  /** Its name, in traces and messages. */
  readonly name: string
  /** Its operations, by name. */
  readonly operations: Readonly<Record<string, Primitive<never>>>
}

/** A request to do something atomic; `yield*` executes it and gives its result. */
export class Operation<R> {
  /** The object that it is executed on. */
  readonly target: SyncObject
  /** Its name in the target's table. */
  readonly operation: string
  /** Its arguments. */
  readonly args: readonly unknown[]

  constructor(target: SyncObject, operation: string, args: readonly unknown[] = []) {
    this.target = target
    this.operation = operation
    this.args = args
  }

  /** As messages call it: `acquire map.lock`. */
  get title(): string {
    return `${this.operation} ${this.target.name}`.trim()
  }

  /** Its definition. */
  get primitive(): Primitive {
    return this.target.operations[this.operation] as unknown as Primitive
  }

  /** Executes it on a live CPU. Sent {@link WHERE}, the program answers with an Error made on its own call stack, and does not advance. */
  *[Symbol.iterator](): Generator<Operation<unknown>, R, unknown> {
    let answer = yield this as Operation<unknown>
    while (answer === WHERE) answer = yield new Error('place') as never
    return answer as R
  }
}

/** What a program that waits in an operation is sent to learn where in its code that is. */
export const WHERE: unique symbol = Symbol('where')

/** The type of a call of a program, or of a kernel function that may block: use `yield*` on it. */
export type Program<R = void> = Generator<Operation<unknown>, R, unknown>

/** The options of `when`. */
export interface WhenOptions {
  /** The name of the condition in traces and messages: `all CPUs have acknowledged`. */
  readonly name?: string
  /** The actors that must act before the guard can hold: a cycle of them is reported as a deadlock. */
  readonly holders?: () => readonly Actor[]
}

/** An operation whose guard and effect are closures: evaluated again at every attempt, never stored. */
export class ClosureOperation<R> extends Operation<R> {
  /** How reads inside count: `sync` (checked against plain accesses) or `once` (deliberately unchecked). */
  readonly reads: 'sync' | 'once'

  constructor(
    operation: string,
    reads: 'sync' | 'once',
    guard: (() => boolean) | null,
    effect: () => R,
    { name = '', holders }: WhenOptions = {},
  ) {
    if (typeof name !== 'string') throw new TypeError(`${operation}: the name of what is waited for must be a text`)
    const primitive: Primitive = {
      class: 'other',
      perform: () => effect(),
      detail: () => '',
      ...(guard && { enabled: () => guard() }),
      ...(holders && { holders: () => holders() }),
    }
    super({ name, operations: { [operation]: primitive as Primitive<never> } }, operation)
    this.reads = reads
  }
}

/**
 * The general guarded atomic action: waits until `guard` holds, then runs `effect`, in one step of its own
 * (class "other"). Both read and write shared fields by plain property access; a field touched here and by plain
 * code elsewhere is a data race.
 *
 * @param options what is waited for, and who has to act before it can come true: for traces and for telling hangs apart
 * @example
 * const free = m.struct(Page, 'free', { v: 1 })
 * m.cpus(2, () => function* takes() {
 *   yield* when(() => free.v > 0, () => {
 *     free.v -= 1
 *   }, { name: 'a free page' })
 *   yield* atomically(() => {
 *     free.v += 1
 *   })
 * })
 */
export function when<R = void>(guard: () => boolean, effect?: () => R, options: WhenOptions = {}): Operation<R> {
  return new ClosureOperation<R>('when', 'sync', guard, effect ?? (() => undefined as R), options)
}

/**
 * Runs `effect` as one atomic step of its own: `when` without a condition.
 *
 * @example
 * const page = m.struct(Page, 'page')
 * m.cpus(2, () => function* count() {
 *   yield* atomically(() => {
 *     page.v += 1
 *   })
 * })
 * m.atRest('both counted', () => page.v === 2)
 */
export function atomically<R>(effect: () => R): Operation<R> {
  return new ClosureOperation<R>('atomically', 'sync', null, effect)
}

/**
 * Reads shared fields without their lock, in one separate step (Linux: READ_ONCE). On `published` and `volatile` fields that is no race; on a plain field a conflicting plain access still is.
 *
 * @example
 * const page = m.struct(Page, 'page')
 * m.thread(function* polls() {
 *   while ((yield* readOnce(() => page.v)) === 0) yield* pause()
 * })
 * m.thread(function* sets() {
 *   yield* atomically(() => {
 *     page.v = 1
 *   })
 * })
 */
export function readOnce<R>(read: () => R): Operation<R> {
  return new ClosureOperation<R>('readOnce', 'once', null, read)
}

/** The object of {@link pause}. */
export const PAUSE: SyncObject = {
  name: '',
  operations: { pause: { class: 'other', perform: () => undefined } satisfies Primitive as Primitive<never> },
}

/**
 * A step that does nothing but let others run.
 *
 * @example
 * m.cpus(2, () => function* idle() {
 *   yield* pause()
 * })
 */
export function pause(): Operation<void> {
  return new Operation<void>(PAUSE, 'pause')
}
