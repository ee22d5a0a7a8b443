import { isAnyArrayBuffer, isMap, isProxy, isSet } from 'node:util/types'
import { Actor, Cpu } from '../model/actor.ts'
import { Machine } from '../model/machine.ts'
import { type MachineParts } from '../model/machine-parts.ts'
import { Operation, PAUSE } from '../model/operation.ts'
import { PerActor } from '../model/per-actor.ts'
import { Pool } from '../model/pool.ts'
import { StructType } from '../model/struct.ts'
import { article } from '../source/texts.ts'
import { intrinsics } from './intrinsics.ts'
import { CONFINED_MATH } from '../source/outside.ts'
import { Refusal } from '../source/refusal.ts'
import { type Runtime, runtimeObjects } from './runtime.ts'

/**
 * The objects that programs can reach and that were made during set-up, numbered in a fixed order: what a local
 * state may refer to by number. All are frozen: what programs could change there, no stored state would hold.
 */
export class ObjectTable {
  readonly objects: object[] = []
  readonly #index = new Map<object, number>()

  /** The number of an object, or -1. */
  indexOf(object: object): number {
    return this.#index.get(object) ?? -1
  }

  /** Numbers an object; false when it has a number already. */
  add(object: object): boolean {
    if (this.#index.has(object)) return false
    this.#index.set(object, this.objects.length)
    this.objects.push(object)
    return true
  }
}

/**
 * Walks everything reachable from the actors' programs and the properties, numbers and freezes it.
 * @throws Refusal for a typed array, which cannot be frozen
 */
export function freezeReachable(machine: MachineParts, runtime: Runtime): ObjectTable {
  const table = new ObjectTable()
  const closed = intrinsics()
  for (const object of [...runtimeObjects(runtime), ...standardObjects()]) table.add(object)
  const queue: unknown[] = [
    PAUSE,
    ...machine.actors,
    ...machine.actors.map(({ program }) => program),
    ...machine.properties.map(({ holds }) => holds),
    ...runtime.functions,
    ...machine.memory.allInstances(),
  ]
  for (let i = 0; i < queue.length; i++) {
    const value = queue[i]
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) continue
    if (closed.has(value) || !table.add(value)) continue
    for (const next of captured(value, runtime)) queue.push(next)
    for (const next of hidden(value, runtime)) queue.push(next)
    if (isOpaque(value)) queue.push(...close(value))
    else freeze(value, queue)
  }
  for (const one of [Machine, Actor, Cpu, StructType, PerActor, Pool, Operation]) {
    Object.freeze(one)
    Object.freeze(one.prototype)
    // a method is in hand while its arguments are evaluated, as in m.assert((yield* lock.tryAcquire()))
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(one.prototype)))
      if (typeof value === 'function') table.add(value as object)
  }
  return table
}

type Opaque = Machine | Actor | Cpu | StructType<object>

/** Whether an object is a part of the machine, of which programs use the name and the methods. */
function isOpaque(value: object): value is Opaque {
  return value instanceof Machine || value instanceof Actor || value instanceof Cpu || value instanceof StructType
}

/** Freezes a part of the machine; what it holds that programs may refer to. */
function close(value: Opaque): unknown[] {
  Object.freeze(value)
  if (value instanceof Cpu) {
    for (const handler of Object.freeze(value.handlers) as Cpu['handlers']) Object.freeze(handler)
    return [value.state]
  }
  if (value instanceof Actor) {
    Object.freeze(value.cpus)
    return [...value.cpus, value.state]
  }
  if (value instanceof StructType) {
    Object.freeze(value.keys)
    for (const type of Object.values(Object.freeze(value.types) as object)) Object.freeze(type)
  }
  return []
}

/**
 * What an object or function holds, in a fixed order: captured variables, private fields, properties (of accessors only
 * the functions), members of collections.
 */
export function childrenOf(value: object, runtime: Runtime): unknown[] {
  const properties = ownProperties(value).flatMap(([key, descriptor]) => [
    key,
    ...('value' in descriptor ? [descriptor.value as unknown] : [descriptor.get, descriptor.set]),
  ])
  return [...captured(value, runtime), ...hidden(value, runtime), ...membersOf(value), ...properties]
}

/** An object's properties of all names, symbols as well, in a fixed order. */
function ownProperties(value: object): [PropertyKey, PropertyDescriptor][] {
  return Reflect.ownKeys(value).map((key) => [key, Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor])
}

/** What a Map or Set holds. */
function membersOf(value: object): unknown[] {
  if (isMap(value)) return [...Map.prototype.entries.call(value)].flat()
  return isSet(value) ? [...Set.prototype.values.call(value)] : []
}

/** Built-in objects and functions that lowered code may hold in a temporary variable across a point, as in `list.push(yield* a())`. */
export function standardObjects(): object[] {
  const owners: readonly object[] = [
    Math,
    Object,
    Array,
    Number,
    String,
    Boolean,
    BigInt,
    JSON,
    Reflect,
    Symbol,
    Map,
    Set,
    RegExp,
    Error,
    TypeError,
    RangeError,
    Promise,
    Function,
  ]
  const functions: readonly object[] = [
    isNaN,
    isFinite,
    parseInt,
    parseFloat,
    encodeURI,
    encodeURIComponent,
    decodeURI,
    decodeURIComponent,
    structuredClone,
  ]
  const prototypes = owners.flatMap((owner) =>
    typeof owner === 'function' && owner !== Promise ? [owner.prototype as object] : [],
  )
  return [...functions, CONFINED_MATH, ...owners, ...[...owners, ...prototypes].flatMap(functionsOf)]
}

function functionsOf(owner: object): object[] {
  return ownProperties(owner).flatMap(([key, { value }]) =>
    key !== 'prototype' && key !== 'constructor' && typeof value === 'function' ? [value as object] : [],
  )
}

function captured(value: object, runtime: Runtime): unknown[] {
  const thunk = runtime.captures.get(value)
  if (!thunk) return []
  try {
    return thunk()
  } catch (error) {
    if (error instanceof ReferenceError) return [] // a variable never initialised holds nothing yet
    throw error
  }
}

/** What an object's private fields hold: of any class, for a constructor may give them to whatever object it returns. */
function hidden(value: object, runtime: Runtime): unknown[] {
  return [
    ...(runtime.staticReaders.get(value)?.() ?? []),
    ...[...runtime.privateReaders.values()].flatMap((read) => read(value)),
  ]
}

function freeze(value: object, queue: unknown[]): void {
  refuseUnfreezable(value)
  queue.push(...membersOf(value)) // of a frozen collection: its methods refuse to change it (closeCollections)
  for (const [, descriptor] of ownProperties(value)) {
    if ('value' in descriptor) queue.push(descriptor.value)
    else queue.push(descriptor.get, descriptor.set, got(value, descriptor))
  }
  queue.push(Object.getPrototypeOf(value))
  if (typeof value !== 'function' || Object.isExtensible(value)) Object.freeze(value)
}

/** @throws Refusal for what keeps something that freezing does not reach */
function refuseUnfreezable(value: object): void {
  if (isProxy(value)) {
    Reflect.ownKeys(value) // one that stands for a name that is refused says which
    throw new Refusal('programs can reach a Proxy, and what it does cannot be seen: use plain objects', null)
  }
  if (ArrayBuffer.isView(value) || isAnyArrayBuffer(value))
    throw new Refusal(
      `programs can reach ${article(value.constructor.name)}, which no stored state would hold: use m.array of a struct, or a plain array`,
      null,
    )
  if (typeof value === 'function' && value.name.startsWith('bound ') && !Object.hasOwn(value, 'prototype')) {
    throw new Refusal(
      `programs can reach the bound function "${value.name.slice(6)}", whose "this" cannot be seen: write an arrow function instead`,
      null,
    )
  }
  if (value instanceof WeakMap || value instanceof WeakSet || value instanceof Date)
    throw new Refusal(
      `programs can reach ${article(value.constructor.name)}, which no stored state would hold and which cannot be frozen: use plain data or a Map`,
      null,
    )
  if (isIterator(value))
    throw new Refusal(
      'programs can reach an iterator that is made outside of them, and where it stands no stored state would hold: make it where it is used, or keep the list',
      null,
    )
}

/** What a getter gives, such as that of a module's namespace; nothing when it throws. */
function got(owner: object, { get }: PropertyDescriptor): unknown {
  try {
    return get?.call(owner) as unknown
  } catch {
    return undefined
  }
}

/** Whether an object is one of JavaScript's own iterators, or a generator that runs: not a prototype of such, which has its method itself. */
function isIterator(value: object): boolean {
  return (
    /^\[object (.* )?(Iterator|Iterator Helper|Generator)\]$/.test(Object.prototype.toString.call(value)) &&
    typeof (value as { next?: unknown }).next === 'function' &&
    !Object.hasOwn(value, 'next')
  )
}
