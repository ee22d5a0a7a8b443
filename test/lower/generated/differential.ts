// Runs a program's text twice: with JavaScript's own generators, and lowered, its whole call stack stored and restored at
// every operation, and at every label before an access or at none of them. Both have to do the same.
import { inspect } from 'node:util'
import { ObjectTable, standardObjects } from '../../../src/runtime/freeze.ts'
import { lower } from '../../../src/lower/lower.ts'
import { Refusal } from '../../../src/source/refusal.ts'
import { DELEGATE, STOP, Activation, Runtime, runtimeObjects } from '../../../src/runtime/runtime.ts'
import { LocalCodec } from '../../../src/explore/state/local-codec.ts'
import { ClosureOperation, Operation, type SyncObject } from '../../../src/model/operation.ts'
import { RandomSource } from '../../../src/semantics/random-source.ts'

/** Operations and results of a run at most. */
const MAX_EVENTS = 300

const RESULTS: readonly unknown[] = [0, 1, 2, 's', null, 3]

/** What the test draws for an operation: a result, or now and then an exception. */
type Drawn = { readonly result: unknown } | { readonly thrown: string }

function draw(random: RandomSource): Drawn {
  return random.below(12) === 0
    ? { thrown: `injected ${random.below(2)}` }
    : { result: RESULTS[random.below(RESULTS.length)] }
}

/** A value as both runs show it; errors of JavaScript's own by name, for their texts quote the code. */
function show(value: unknown): string {
  return inspect(value, { depth: 8, breakLength: Infinity, maxArrayLength: 50, maxStringLength: 500 })
}

function ending(error: unknown): string {
  return `threw ${error instanceof Error ? error.name : show(error)}`
}

/** A guarded operation of a native run: what it does is a closure of the program. */
class NativeEffect {
  readonly effect: () => unknown

  constructor(effect: () => unknown) {
    this.effect = effect
  }
}

/** What a program's text is given: operations, by the runs' own means. */
const NAMES = ['op', 'pause', 'effect'] as const

/** The events of a native run of `entry`. */
export function runNative(text: string, entry: string, seed: number): string[] {
  const asked = (value: unknown): object => ({
    *[Symbol.iterator](): Generator<unknown, unknown, unknown> {
      return yield value
    },
  })
  const given = [
    (...args: unknown[]) => asked(args),
    () => asked(['pause']),
    (effect: () => unknown) => asked(new NativeEffect(effect)),
  ]
  const program = new Function(...NAMES, `"use strict";${text}\nreturn ${entry}`)(...given) as () => Generator<
    unknown,
    unknown,
    unknown
  >
  const random = new RandomSource(seed)
  const log: string[] = []
  try {
    const running = program()
    let next = running.next()
    while (!next.done && log.length < MAX_EVENTS) {
      if (next.value instanceof NativeEffect) {
        const { effect } = next.value
        next = advance(running, log, effect)
        continue
      }
      log.push(show(next.value))
      const drawn = draw(random)
      next = 'thrown' in drawn ? running.throw(drawn.thrown) : running.next(drawn.result)
    }
    if (next.done) log.push(`returned ${show(next.value)}`)
  } catch (error) {
    log.push(ending(error))
  }
  return log
}

/** Takes an effect; what it throws ends the program, as vmcheck has it. */
function advance(
  running: Generator<unknown, unknown, unknown>,
  log: string[],
  effect: () => unknown,
): IteratorResult<unknown, unknown> {
  const result = effect()
  log.push(`effect ${show(result)}`)
  return running.next(result)
}

/** A program's text, lowered; null: it was refused. */
export function lowered(text: string): string | Refusal {
  try {
    return lower(text, 'program.ts', true)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** How a lowered run is stored: what dead variables hold afterwards, and whether also where only accesses are. */
export interface Storing {
  readonly poison: unknown
  readonly atAccesses: boolean
}

/** The events of a lowered run; a refusal: it could not be stored, or was refused while it ran. */
export function runLowered(
  code: string,
  entry: string,
  seed: number,
  { poison, atAccesses }: Storing,
): string[] | Refusal {
  const runtime = new Runtime()
  runtime.poison = poison
  runtime.bounds = { stops: () => atAccesses, anchors: () => atAccesses }
  const target: SyncObject = { name: 'target', operations: { op: { class: 'other', perform: () => undefined } } }
  const operation = (...args: unknown[]): Operation<unknown> => new Operation(target, 'op', args)
  const given = [
    operation,
    () => operation('pause'),
    (effect: () => unknown) => new ClosureOperation('effect', 'sync', null, effect),
  ]
  const program = new Function('__vmcheck', ...NAMES, `"use strict";${code}\nreturn ${entry}`)(
    runtime,
    ...given,
  ) as () => Activation
  const codec = new LocalCodec(runtime, objectsOf(runtime, target))
  try {
    return new LoweredRun(runtime, codec, new RandomSource(seed)).run(program)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** What programs can reach of what set-up made, numbered as freezing does. */
function objectsOf(runtime: Runtime, target: SyncObject): ObjectTable {
  const objects = new ObjectTable()
  for (const value of [target, ...standardObjects(), ...runtimeObjects(runtime)]) objects.add(value)
  const queue: unknown[] = [...runtime.captures.keys(), ...[...runtime.captures.values()].flatMap((thunk) => thunk())]
  for (const value of queue) {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || !objects.add(value)) continue
    if (typeof value === 'object' && !Array.isArray(value))
      queue.push(
        ...Object.entries(Object.getOwnPropertyDescriptors(value)).map(([, descriptor]) => descriptor.value as unknown),
      )
    const prototype =
      typeof value === 'function'
        ? (value as { prototype?: object }).prototype
        : (Object.getPrototypeOf(value) as object | null)
    if (prototype && prototype !== Object.prototype)
      for (const { value: member } of Object.values(Object.getOwnPropertyDescriptors(prototype))) queue.push(member)
  }
  return objects
}

/** One run of lowered code. */
class LoweredRun {
  readonly #runtime: Runtime
  readonly #codec: LocalCodec
  readonly #random: RandomSource
  readonly #log: string[] = []
  #stack: Activation[] = []

  constructor(runtime: Runtime, codec: LocalCodec, random: RandomSource) {
    this.#runtime = runtime
    this.#codec = codec
    this.#random = random
  }

  run(program: () => Activation): string[] {
    this.#runtime.begin()
    try {
      this.#stack = [program()]
      while (this.#log.length < MAX_EVENTS && this.#advance()) continue
    } catch (error) {
      if (error instanceof Refusal) throw error
      this.#log.push(ending(error))
    }
    return this.#log
  }

  /** Runs to the next operation or the end of a function; false at the end of all. */
  #advance(): boolean {
    const top = this.#stack.at(-1) as Activation
    try {
      const signal = top.run(isRefusal, this.#stops)
      if (signal === STOP) return true
      if (signal !== DELEGATE) return this.#return(top)
    } catch (error) {
      this.#raise(error)
      return true
    }
    const { delegate } = top
    if (delegate instanceof Activation) this.#stack.push(delegate)
    else if (delegate instanceof Operation) this.#operate(top, delegate)
    else throw new Refusal('yield* of something else', null)
    return true
  }

  /** Stores and restores the stack before an access; what cannot be stored goes on as it is. */
  readonly #stops = (): boolean => {
    try {
      const code = this.#codec.withLog(this.#codec.beforeAccess(this.#stack), [])
      const stored = this.#codec.decode(Int32Array.from(code))
      if (stored.at !== 'resume') throw new Error('stored as something else')
      this.#stack = stored.stack
      return true
    } catch (error) {
      if (error instanceof Refusal) return false
      throw error
    }
  }

  #return(top: Activation): boolean {
    this.#stack.pop()
    const caller = this.#stack.at(-1)
    if (caller) caller.v = top.result
    else this.#log.push(`returned ${show(top.result)}`)
    return caller !== undefined
  }

  #operate(top: Activation, operation: Operation<unknown>): void {
    const isClosure = operation instanceof ClosureOperation
    if (isClosure && top.changedSinceMark)
      throw new Refusal('the operand changes something', this.#runtime.place(this.#runtime.site))
    if (!isClosure) this.#log.push(show(operation.args))
    const stored = this.#codec.decode(Int32Array.from(this.#codec.beforeOperation(this.#stack, operation)))
    if (stored.at !== 'operation' && stored.at !== 'operand') throw new Error('stored as something else')
    this.#stack = stored.stack
    if (isClosure) return this.#effect()
    const drawn = draw(this.#random)
    if ('thrown' in drawn) this.#raise(drawn.thrown)
    else (this.#stack.at(-1) as Activation).v = drawn.result
  }

  /** The operand is evaluated again, and its effect taken. */
  #effect(): void {
    const top = this.#stack.at(-1) as Activation
    top.run(isRefusal)
    const { primitive, target, args } = top.delegate as ClosureOperation<unknown>
    const result = primitive.perform(target, null as never, args)
    this.#log.push(`effect ${show(result)}`)
    top.v = result
  }

  #raise(error: unknown): void {
    if (error instanceof Refusal) throw error
    while (this.#stack.at(-1)?.finished) this.#stack.pop()
    for (; this.#stack.length > 0; this.#stack.pop()) {
      try {
        ;(this.#stack.at(-1) as Activation).raise(error)
        return
      } catch (again) {
        if (again !== error) throw again
      }
    }
    throw error
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Refusal
}
