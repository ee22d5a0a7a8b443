// What a model's code must not use, for it would do something else each time it runs, or reach beyond the model.
import { Refusal } from './refusal.ts'

const TIME = 'the time'
const CHANCE = 'random numbers'
const LATER = 'what happens later, outside of any step'
const PROCESS = 'the process that runs it'

const MEMORY = 'memory that no stored state would hold'
const COLLECTOR = 'what the garbage collector does'

/** Global names that are refused for a reason of their own. */
const REASONS: Readonly<Record<string, string>> = {
  Date: TIME,
  performance: TIME,
  Temporal: TIME,
  Event: TIME,
  crypto: CHANCE,
  ...Object.fromEntries(
    [
      'setTimeout',
      'setInterval',
      'setImmediate',
      'queueMicrotask',
      'clearTimeout',
      'clearInterval',
      'clearImmediate',
      'Promise',
      'AbortController',
      'AbortSignal',
      'MessageChannel',
    ].map((name) => [name, LATER]),
  ),
  Intl: 'the time and the place',
  Buffer: PROCESS,
  ...Object.fromEntries(
    ['process', 'require', 'module', 'exports', 'globalThis', 'global'].map((name) => [name, PROCESS]),
  ),
  fetch: 'the network',
  eval: 'code that is not lowered',
  Function: 'code that is not lowered',
  Proxy: 'functions that cannot be seen',
  ...Object.fromEntries(
    ['SharedArrayBuffer', 'Atomics', 'WebAssembly', 'ArrayBuffer', 'DataView'].map((name) => [name, MEMORY]),
  ),
  WeakRef: COLLECTOR,
  FinalizationRegistry: COLLECTOR,
}

/** Global names that models may use: JavaScript's own, which are closed to changes. */
const ALLOWED: ReadonlySet<string> = new Set(
  [
    'undefined NaN Infinity isNaN isFinite parseInt parseFloat encodeURI encodeURIComponent decodeURI decodeURIComponent escape unescape structuredClone console',
    'Object Array String Number Boolean Symbol BigInt RegExp Map Set WeakMap WeakSet Iterator Math JSON Reflect',
    'Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError',
  ].flatMap((names) => names.split(' ')),
)

/** Global names that are refused, and what they depend on: all but a few. */
export const OUTSIDE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.getOwnPropertyNames(globalThis)
      .filter((name) => !ALLOWED.has(name) && /^[A-Za-z_]\w*$/.test(name))
      .map((name) => [name, name.endsWith('Array') ? MEMORY : 'what Node keeps']),
  ),
  ...REASONS,
}

/** Why a use of a name is refused. */
export function outsideMessage(name: string, what: string): string {
  return `${name} is used, and depends on ${what}: a model must do the same each time it runs; let m.choose stand for what may vary`
}

function refuse(name: string, what: string): never {
  throw new Refusal(outsideMessage(name, what), null)
}

/** Stands for a name that is refused, where it was not seen in the text: it refuses whatever is done with it. */
function refusing(name: string, what: string): unknown {
  const trap = (): never => refuse(name, what)
  return new Proxy(function outside() {}, {
    apply: trap,
    construct: trap,
    get: trap,
    set: trap,
    has: trap,
    ownKeys: trap,
    getOwnPropertyDescriptor: trap,
    defineProperty: trap,
  })
}

/** Math without random numbers: what models see under that name. */
export const CONFINED_MATH: object = Object.freeze(
  Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(Math),
      random: { value: () => refuse('Math.random', CHANCE), enumerable: false, writable: false, configurable: false },
    },
  ),
)

/**
 * Takes from every function the way to the constructors that make code of text: such code would see what is refused by
 * name. For the thread it is called on, once and for all; the names themselves stay as they are for the libraries there.
 */
export function withoutCodeFromText(): void {
  const value = function Function(): never {
    return refuse('the constructor of functions', 'code that is not lowered')
  }
  const constructor = { value, writable: false, configurable: true }
  for (const made of [() => {}, async () => {}, function* () {}, async function* () {}])
    Object.defineProperty(Object.getPrototypeOf(made), 'constructor', constructor)
}

/**
 * Takes what `RegExp` keeps of the last match of any pattern (RegExp.$1, RegExp.lastMatch and so on), which would carry
 * values from one step to another past every stored state. For the thread it is called on.
 */
export function withoutLastMatch(): void {
  for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(RegExp))) {
    if (get === undefined) continue
    const trap = (): never => refuse(`RegExp.${name}`, 'what was matched before')
    Object.defineProperty(RegExp, name, { get: trap, set: trap, configurable: true })
  }
}

/** Names that the bundled text has for other things, or may not have at all; lowering refuses them. */
const PARAMETERS: ReadonlySet<string> = new Set(['require', 'module', 'exports', 'eval'])

/** Takes what models print. */
export type Printer = (text: string) => void

/**
 * What a model's code sees under the names of things outside of it: those that are refused, Math without random numbers,
 * and a console that prints elsewhere.
 *
 * @param print takes a line of output
 */
export function confinement(print: Printer): Readonly<Record<string, unknown>> {
  const refused = Object.fromEntries(
    Object.entries(OUTSIDE).flatMap(([name, what]) => (PARAMETERS.has(name) ? [] : [[name, refusing(name, what)]])),
  )
  return { ...refused, Math: CONFINED_MATH, console: consoleOf(print) }
}

const METHODS = ['log', 'info', 'warn', 'error', 'debug', 'trace', 'table', 'dir'] as const

function consoleOf(print: Printer): object {
  const say = (...values: readonly unknown[]): void =>
    print(values.map((value) => (typeof value === 'string' ? value : String(value))).join(' '))
  return Object.freeze({
    ...Object.fromEntries(METHODS.map((method) => [method, say])),
    assert: (holds: unknown, ...values: unknown[]) => (holds ? undefined : say('Assertion failed:', ...values)),
  })
}
