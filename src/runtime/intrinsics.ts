// JavaScript's own objects. All programs share them, and no stored state would hold a change of them.

/**
 * Constructors and namespaces of the language, but for typed arrays: models do not see them, and with their prototypes
 * frozen the engine, which lives on them, takes three times as long.
 */
const ROOTS: readonly object[] = [
  Object,
  Function,
  Array,
  String,
  Number,
  Boolean,
  Symbol,
  BigInt,
  RegExp,
  Map,
  Set,
  WeakMap,
  WeakSet,
  Promise,
  Math,
  JSON,
  Reflect,
]

const ERRORS: readonly object[] = [
  Error,
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
]

/** Objects of the language that have no name. */
function unnamed(): object[] {
  const iterators: readonly object[] = [
    [][Symbol.iterator](),
    new Map().entries(),
    new Set().values(),
    ''[Symbol.iterator](),
    'a'.matchAll(/a/g),
    (function* () {})(),
    (async function* () {})(),
  ]
  const functions: readonly object[] = [function* () {}, async function () {}, async function* () {}]
  return [...iterators, ...functions].flatMap(prototypesOf)
}

function prototypesOf(value: object): object[] {
  const found: object[] = []
  for (let at = Object.getPrototypeOf(value) as object | null; at; at = Object.getPrototypeOf(at) as object | null)
    found.push(at)
  return found
}

/** All of JavaScript's own objects, but for what only their properties lead to. */
export function intrinsics(): ReadonlySet<object> {
  const named = [...ROOTS, ...ERRORS].flatMap((root) => [
    root,
    ...(typeof root === 'function' && root.prototype ? [root.prototype as object] : []),
    ...prototypesOf(root),
  ])
  return new Set([...named, ...unnamed()])
}

/** Prototypes whose properties are assigned on objects that inherit from them, as `error.name = 'Stop'`, which a frozen prototype forbids. */
const INHERITED: readonly object[] = [
  Object.prototype,
  Function.prototype,
  ...ERRORS.map((type) => (type as typeof Error).prototype as object),
]

/** Of these, what no one gives to a function of his own, and what is called everywhere. */
const FAST: readonly PropertyKey[] = ['call', 'apply', 'bind', Symbol.hasInstance]

/** Whether this thread's are closed. */
export function areIntrinsicsClosed(): boolean {
  return Object.isFrozen(Array.prototype)
}

/**
 * Closes JavaScript's own objects to changes, for the thread that it is called on: `Array.seen = 1` throws there, as any
 * change of a frozen object does. What V8 and libraries set on `Error` stays open: {@link Guarded} looks at it.
 */
export function closeIntrinsics(): void {
  const all = intrinsics()
  closeCollections()
  for (const object of all) {
    if (object === Error) closeButOpen(object, ['stackTraceLimit', 'prepareStackTrace'])
    else if (INHERITED.includes(object)) closeInherited(object)
    else Object.freeze(object)
  }
}

/** Names of the methods that change a collection. */
const CHANGING = ['set', 'add', 'delete', 'clear'] as const

/** What a change of a collection that set-up made comes to. */
function refuseChange(collection: object): never {
  throw new TypeError(`Cannot change a ${collection.constructor.name} made in machine(): object is not extensible`)
}

/** A frozen collection is changed by its methods all the same: they look whether theirs is frozen. */
function closeCollections(): void {
  for (const { prototype } of [Map, Set]) {
    for (const method of CHANGING) {
      const change = (prototype as unknown as Record<string, ((...given: unknown[]) => unknown) | undefined>)[method]
      if (!change) continue
      const value = {
        [method](this: object, ...given: unknown[]): unknown {
          return Object.isFrozen(this) ? refuseChange(this) : Reflect.apply(change, this, given)
        },
      }[method]
      Object.defineProperty(prototype, method, { value, writable: true, enumerable: false, configurable: true })
    }
  }
}

/** Closes an object but for some of its properties, which stay as they are. */
function closeButOpen(object: object, open: readonly string[]): void {
  for (const key of open)
    if (!Object.hasOwn(object, key))
      Object.defineProperty(object, key, { value: undefined, writable: true, enumerable: false, configurable: false })
  for (const key of Reflect.ownKeys(object))
    if (!open.includes(key as string))
      Object.defineProperty(object, key, {
        configurable: false,
        ...('value' in (Object.getOwnPropertyDescriptor(object, key) ?? {}) && { writable: false }),
      })
  Object.preventExtensions(object)
}

/** Closes a prototype, and lets objects that inherit from it be given properties of the same names, as before. */
function closeInherited(prototype: object): void {
  for (const key of Reflect.ownKeys(prototype)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor
    if (!('value' in descriptor)) Object.defineProperty(prototype, key, { configurable: false })
    else if (FAST.includes(key)) Object.defineProperty(prototype, key, { writable: false, configurable: false })
    else
      Object.defineProperty(prototype, key, {
        get: () => descriptor.value as unknown,
        set: settingOwn(prototype, key),
        enumerable: descriptor.enumerable ?? false,
        configurable: false,
      })
  }
  Object.preventExtensions(prototype)
}

function settingOwn(prototype: object, key: PropertyKey): (this: object, value: unknown) => void {
  return function (value) {
    if (this === prototype)
      throw new TypeError(`Cannot assign to read only property '${String(key)}' of one of JavaScript's own objects`)
    if (Object.hasOwn(this, key)) Reflect.set(this, key, value)
    else Object.defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true })
  }
}

/** The properties of `Error` that stay open, and whether one has changed since the last look. */
export class Guarded {
  #limit: unknown = Error.stackTraceLimit
  #prepare: unknown = Error.prepareStackTrace

  /** Looks at it. */
  look(): void {
    this.#limit = Error.stackTraceLimit
    this.#prepare = Error.prepareStackTrace
  }

  /** Whether it was changed; if so, it is put back. */
  restore(): boolean {
    if (this.#limit === Error.stackTraceLimit && this.#prepare === Error.prepareStackTrace) return false
    Error.stackTraceLimit = this.#limit as number
    Error.prepareStackTrace = this.#prepare as never
    return true
  }
}
