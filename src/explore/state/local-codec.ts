import { isNativeError } from 'node:util/types'
import type { ObjectTable } from '../../runtime/freeze.ts'
import { Refusal } from '../../source/refusal.ts'
import { Frame, type Runtime, Walk } from '../../runtime/runtime.ts'
import { showValue } from '../../model/memory.ts'
import { ClosureOperation, Operation, type SyncObject } from '../../model/operation.ts'
import type { Switches } from '../../semantics/switches.ts'
import { article } from '../../source/texts.ts'
import { wording } from '../../source/thrown.ts'

/** Tags of the encoding; each value starts with one, so that no two values share an encoding. */
const TAG = {
  undefined: 0,
  null: 1,
  true: 2,
  false: 3,
  integer: 4,
  double: 5,
  string: 6,
  object: 7,
  function: 8,
  array: 9,
  plain: 10,
  again: 11,
  bigint: 12,
  frozen: 13,
  error: 15,
  walk: 14,
} as const

/** Where an actor stands. */
export type LocalState =
  /** Before its first shared access; `log` feeds what it did since (virtual point). */
  | { readonly at: 'start'; readonly log: readonly number[] }
  /** Before an operation. */
  | { readonly at: 'operation'; readonly stack: Frame[]; readonly operation: Operation<unknown> }
  /** Before the operand of a closure operation, which is evaluated anew at every attempt. */
  | { readonly at: 'operand'; readonly stack: Frame[] }
  /** After the operation of its last `yield*`, which gave `result`; `log` feeds what it did since (virtual point). */
  | { readonly at: 'resume'; readonly stack: Frame[]; readonly result: unknown; readonly log: readonly number[] }
  | { readonly at: 'finished' }

/** Where in a local state's encoding things are mentioned that can be renamed: positions of their numbers. */
export interface Mentions {
  readonly objects: readonly number[]
  readonly functions: readonly number[]
  /** Positions of values in a log, each followed by what it names. */
  readonly logged: readonly number[]
}

/** Words of a local state at most. */
const MOST_WORDS = 1 << 20

const VIEWS = ['values', 'keys', 'entries'] as const

const KIND = { finished: 0, start: 1, operation: 2, operand: 3, resume: 4 } as const

/** The encoding of a finished actor. */
export const FINISHED: readonly number[] = [KIND.finished]

const scratch = new DataView(new ArrayBuffer(8))

/** Encodes and decodes local states; one a loaded machine. */
export class LocalCodec {
  readonly #runtime: Runtime
  readonly #objects: ObjectTable

  constructor(runtime: Runtime, objects: ObjectTable) {
    this.#runtime = runtime
    this.#objects = objects
  }

  /** The encoding of an actor that has not made its first shared access. */
  start(log: readonly number[]): number[] {
    return [KIND.start, log.length, ...log]
  }

  /** The encoding of a call stack before an operation; a closure operation is left out, to be evaluated anew. */
  beforeOperation(stack: readonly Frame[], operation: Operation<unknown>): number[] {
    const top = stack.at(-1) as Frame
    const encoder = new Encoder(this.#runtime, this.#objects)
    if (operation instanceof ClosureOperation) {
      const next = top.n
      top.n = top.mark
      encoder.out.push(KIND.operand)
      encoder.stack(stack)
      top.n = next
    } else {
      encoder.out.push(KIND.operation)
      encoder.stack(stack)
      encoder.operation(operation)
    }
    return encoder.out
  }

  /** The encoding of a call stack right after its operation gave `result`, without a log. */
  afterOperation(stack: readonly Frame[], result: unknown): number[] {
    const encoder = new Encoder(this.#runtime, this.#objects)
    encoder.out.push(KIND.resume)
    encoder.stack(stack)
    encoder.value(result, 'the result of an operation')
    return encoder.out
  }

  /** Adds a log to an encoding made by {@link afterOperation}. */
  withLog(base: readonly number[], log: readonly number[]): number[] {
    return [...base, log.length, ...log]
  }

  /** Adds to an encoding how often a thread alone on its CPU has switched interrupts and preemption off; nothing where it has not. */
  withSwitches(code: readonly number[], { interrupts, preemption }: Switches): readonly number[] {
    return interrupts === 0 && preemption === 0 ? code : [...code, interrupts, preemption]
  }

  /** Undoes {@link withSwitches}. */
  withoutSwitches(code: Int32Array, { interrupts, preemption }: Switches): Int32Array {
    return interrupts === 0 && preemption === 0 ? code : code.subarray(0, code.length - 2)
  }

  /** Where an encoding mentions things. */
  mentions(code: Int32Array): Mentions {
    const decoder = new Decoder(code, this.#runtime, this.#objects)
    this.#runtime.begin()
    this.#decode(decoder)
    this.#runtime.end()
    return decoder.mentions
  }

  /** Restores a local state: fresh activations, whose dead variables hold the runtime's poison. */
  decode(code: Int32Array): LocalState & { readonly switches: Switches } {
    const decoder = new Decoder(code, this.#runtime, this.#objects)
    const state = this.#decode(decoder)
    const [interrupts = 0, preemption = 0] = decoder.left()
    return { ...state, switches: { interrupts, preemption } }
  }

  #decode(decoder: Decoder): LocalState {
    const kind = decoder.next()
    if (kind === KIND.finished) return { at: 'finished' }
    if (kind === KIND.start) return { at: 'start', log: decoder.log() }
    const stack = decoder.stack()
    if (kind === KIND.operation) return { at: 'operation', stack, operation: decoder.operation() }
    if (kind === KIND.operand) return { at: 'operand', stack }
    const result = decoder.value()
    return { at: 'resume', stack, result, log: decoder.log() }
  }
}

class Encoder {
  readonly out: number[] = []
  readonly #runtime: Runtime
  readonly #objects: ObjectTable
  readonly #met = new Map<object, number>()
  #frame: Frame | null = null

  constructor(runtime: Runtime, objects: ObjectTable) {
    this.#runtime = runtime
    this.#objects = objects
  }

  stack(stack: readonly Frame[]): void {
    this.out.push(stack.length)
    for (const frame of stack) this.#activation(frame)
    this.#frame = null
  }

  operation(operation: Operation<unknown>): void {
    this.value(operation.target, 'the object of an operation')
    this.#text(operation.operation)
    this.out.push(operation.args.length)
    for (const arg of operation.args) this.value(arg, `an argument of ${operation.operation}`)
  }

  value(value: unknown, what: string): void {
    const { out } = this
    if (value === undefined) out.push(TAG.undefined)
    else if (value === null) out.push(TAG.null)
    else if (value === true) out.push(TAG.true)
    else if (value === false) out.push(TAG.false)
    else if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'string') {
      out.push(TAG.string)
      this.#text(value)
    } else if (typeof value === 'bigint') {
      out.push(TAG.bigint)
      this.#text(value.toString())
    } else if (typeof value === 'function') this.#function(value, what)
    else if (typeof value === 'object') this.#object(value, what)
    else throw this.#refuse(what, 'a symbol')
  }

  #activation(frame: Frame): void {
    const index = this.#runtime.functionIndex.get(frame.fn)
    if (index === undefined) {
      throw new Refusal(
        `the generator function ${frame.info.name} is created inside a step and stands on the stack at a point: declare it outside of programs`,
        this.#runtime.place(frame.info.site),
      )
    }
    this.#frame = frame
    const pending = frame.tries.flatMap((entry, i) => (entry[4] ? [[i, entry[4], entry[5]] as const] : []))
    this.out.push(index, frame.n, region(frame), frame.site, pending.length)
    for (const [i, type, value] of pending) {
      this.out.push(i, type)
      this.value(value, 'the value that waits for a finally block')
    }
    const slots = frame.slots
    for (const slot of frame.info.live[frame.n] ?? [])
      this.value(slots[slot], slotName(frame.info.slots[slot] as string))
  }

  #number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.out.push(TAG.integer, value)
      return
    }
    scratch.setFloat64(0, value)
    this.out.push(TAG.double, scratch.getInt32(0), scratch.getInt32(4))
  }

  #text(text: string): void {
    this.#limit(text.length)
    this.out.push(text.length)
    for (let i = 0; i < text.length; i++) this.out.push(text.charCodeAt(i))
  }

  /** Local states are small; one that is not would take minutes before anybody saw why. */
  #limit(more: number): void {
    if (this.out.length + more > MOST_WORDS)
      throw this.#refuse('a program', `more than ${MOST_WORDS.toLocaleString('en')} numbers or characters`)
  }

  #function(value: object, what: string): void {
    const index = this.#runtime.functionIndex.get(value)
    if (index !== undefined) {
      this.out.push(TAG.function, index)
      return
    }
    const object = this.#objects.indexOf(value)
    if (object < 0) throw this.#refuse(what, 'a closure')
    this.out.push(TAG.object, object)
  }

  #object(value: object, what: string): void {
    const known = this.#objects.indexOf(value)
    if (known >= 0) {
      this.out.push(TAG.object, known)
      return
    }
    const met = this.#met.get(value)
    if (met !== undefined) {
      this.out.push(TAG.again, met)
      return
    }
    if (value instanceof Operation)
      throw this.#refuse(what, 'an operation that was not executed (did you forget yield*?)')
    if (value instanceof Frame) throw this.#refuse(what, 'a generator (did you forget yield*?)')
    this.#met.set(value, this.#met.size)
    if (value instanceof Walk) this.#walk(value, what)
    else if (value instanceof Error) this.#error(value, what)
    else {
      if (Object.isFrozen(value)) this.out.push(TAG.frozen)
      else if (!Object.isExtensible(value))
        throw this.#refuse(what, 'an object that is sealed, or closed to new properties,')
      if (Array.isArray(value)) this.#array(value, what)
      else this.#plain(value, what)
    }
  }

  /** An exception that waits for a finally block, or is kept: its class, message and further properties; not its stack, which is not the program's. */
  #error(error: Error, what: string): void {
    const owner = Object.getPrototypeOf(error) as object
    const type = Object.hasOwn(owner, 'constructor') ? owner.constructor : null
    if (type === null || this.#objects.indexOf(type) < 0)
      throw this.#refuse(what, `${article(showValue(error.constructor))} of a class that is made in a step`)
    const own = Object.getOwnPropertyDescriptors(error)
    if (
      !isNativeError(error) ||
      !Object.isExtensible(error) ||
      !Object.hasOwn(own, 'stack') ||
      Object.hasOwn(own, '__proto__') ||
      Object.getOwnPropertySymbols(own).length > 0
    )
      throw this.#refuse(what, 'an error that was changed in ways that come to no text')
    if (this.#runtime.hasPrivates(error))
      throw this.#refuse(what, `${article(showValue(error.constructor))} with private fields`)
    const { message } = own
    if (message && !('value' in message && message.writable && message.configurable && !message.enumerable))
      throw this.#refuse(what, 'an error whose message was made read-only or visible')
    this.out.push(TAG.error)
    this.value(type, what)
    this.value(message ? [message.value] : null, what)
    const entries = Object.entries(own).filter(([key]) => key !== 'stack' && key !== 'message')
    this.out.push(entries.length)
    for (const [key, descriptor] of entries) {
      this.#text(key)
      this.value(this.#valueOf(descriptor, error, what), what)
    }
  }

  #walk(walk: Walk, what: string): void {
    const { view, index, list, object } = walk.stored()
    this.out.push(TAG.walk, VIEWS.indexOf(view), index)
    this.value(list, what)
    this.value(object, what)
  }

  #array(value: readonly unknown[], what: string): void {
    if (Object.getPrototypeOf(value) !== Array.prototype || Reflect.ownKeys(value).length !== value.length + 1)
      throw this.#refuse(what, 'an array with holes, further properties or a class of its own')
    this.#limit(value.length)
    this.out.push(TAG.array, value.length)
    for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value)))
      if (key !== 'length') this.value(this.#valueOf(descriptor, value, what), what)
  }

  #plain(value: object, what: string): void {
    const prototype = Object.getPrototypeOf(value) as object | null
    if (prototype === null || Object.getOwnPropertySymbols(value).length > 0 || Object.hasOwn(value, '__proto__'))
      throw this.#refuse(what, 'an object without a prototype or with special keys')
    if (prototype !== Object.prototype)
      throw this.#refuse(what, `${article(showValue(value.constructor))} made in a step`)
    const entries = Object.entries(Object.getOwnPropertyDescriptors(value))
    this.out.push(TAG.plain, entries.length)
    for (const [key, descriptor] of entries) {
      this.#text(key)
      this.value(this.#valueOf(descriptor, value, what), what)
    }
  }

  /** The value of a property, which has to be an ordinary one. */
  #valueOf(descriptor: PropertyDescriptor, owner: object, what: string): unknown {
    if (!('value' in descriptor)) throw this.#refuse(what, 'an object with a getter')
    const isOrdinary =
      descriptor.enumerable && (Object.isFrozen(owner) || (descriptor.writable && descriptor.configurable))
    if (!isOrdinary) throw this.#refuse(what, 'an object with a hidden or read-only property')
    return descriptor.value
  }

  #refuse(what: string, held: string): Refusal {
    const frame = this.#frame
    const where = frame ? ` in ${frame.info.name}` : ''
    return new Refusal(
      `${what}${where} holds ${held} at a point, which cannot be stored: keep plain data there, or make it outside of the program`,
      this.#runtime.place(frame ? frame.site || frame.info.site : this.#runtime.site),
    )
  }
}

/** Temporary variables of lowered code have no name that the author knows. */
function slotName(name: string): string {
  return /^_t\d*$/.test(name) ? 'a value in the middle of an expression' : `"${name}"`
}

/** The try cursor reduced to what the try table can tell apart. */
function region(frame: Frame): number {
  let found = 0
  for (const entry of frame.tries) {
    for (let i = 0; i < 3; i++) {
      const label = entry[i] as number | undefined
      if (label !== undefined && label <= frame.p && label > found) found = label
    }
  }
  return found
}

class Decoder {
  readonly #code: Int32Array
  readonly #runtime: Runtime
  readonly #objects: ObjectTable
  readonly #met: object[] = []
  /** What was mentioned so far. */
  readonly mentions = { objects: [] as number[], functions: [] as number[], logged: [] as number[] } satisfies Mentions
  #at = 0

  constructor(code: Int32Array, runtime: Runtime, objects: ObjectTable) {
    this.#code = code
    this.#runtime = runtime
    this.#objects = objects
  }

  next(): number {
    return this.#code[this.#at++] as number
  }

  /** The words that are left. */
  left(): readonly number[] {
    return [...this.#code.subarray(this.#at)]
  }

  log(): number[] {
    const length = this.next()
    for (let at = 0; at < length; at += 2) this.mentions.logged.push(this.#at + at)
    return Array.from({ length }, () => this.next())
  }

  stack(): Frame[] {
    return Array.from({ length: this.next() }, () => this.#activation())
  }

  operation(): Operation<unknown> {
    const target = this.value() as SyncObject
    const name = this.#text()
    const args = Array.from({ length: this.next() }, () => this.value())
    return new Operation(target, name, args)
  }

  value(): unknown {
    const tag = this.next()
    switch (tag) {
      case TAG.undefined:
        return undefined
      case TAG.null:
        return null
      case TAG.true:
        return true
      case TAG.false:
        return false
      case TAG.integer:
        return this.next()
      case TAG.double:
        scratch.setInt32(0, this.next())
        scratch.setInt32(4, this.next())
        return scratch.getFloat64(0)
      case TAG.string:
        return this.#text()
      case TAG.bigint:
        return BigInt(this.#text())
      case TAG.object:
        this.mentions.objects.push(this.#at)
        return this.#objects.objects[this.next()]
      case TAG.function:
        this.mentions.functions.push(this.#at)
        return this.#runtime.functions[this.next()]
      case TAG.again:
        return this.#met[this.next()]
      case TAG.frozen:
        return Object.freeze(this.value())
      case TAG.walk:
        return this.#walk()
      case TAG.error:
        return this.#error()
      case TAG.array:
        return this.#array()
      default:
        return this.#plain()
    }
  }

  #activation(): Frame {
    this.mentions.functions.push(this.#at)
    const fn = this.#runtime.functions[this.next()] as () => Frame
    const frame = fn()
    frame.taken = true
    frame.n = this.next()
    frame.p = this.next()
    frame.site = this.next()
    for (let pending = this.next(); pending > 0; pending--) {
      const entry = frame.tries[this.next()] as unknown[]
      entry[4] = this.next()
      entry[5] = this.value()
    }
    const slots: unknown[] = Array.from({ length: frame.info.slots.length }, () => this.#runtime.poison)
    for (const slot of frame.info.live[frame.n] ?? []) slots[slot] = this.value()
    frame.slots = slots
    return frame
  }

  #text(): string {
    let text = ''
    for (let left = this.next(); left > 0; left--) text += String.fromCharCode(this.next())
    return text
  }

  #error(): Error {
    const met = this.#met.push(this) - 1
    const type = this.value() as { readonly prototype: Error }
    // an error of JavaScript's own making, and of the class, without a call of the class's constructor
    const error = Reflect.construct(Error, [], type as never) as Error & Record<string, unknown>
    this.#met[met] = error
    const hidden = (key: string, value: unknown): unknown =>
      Object.defineProperty(error, key, { value, writable: true, enumerable: false, configurable: true })
    const message = this.value() as readonly [unknown] | null
    if (message) hidden('message', message[0])
    hidden('stack', wording(error))
    for (let count = this.next(); count > 0; count--) {
      const key = this.#text()
      error[key] = this.value()
    }
    return error
  }

  #walk(): Walk {
    const met = this.#met.push(this) - 1 // walks are numbered like other objects
    const view = VIEWS[this.next()] as (typeof VIEWS)[number]
    const index = this.next()
    const list = this.value() as readonly unknown[]
    const walk = Walk.restored({ view, index, list, object: this.value() as object | null })
    this.#met[met] = walk
    return walk
  }

  #array(): unknown[] {
    const length = this.next()
    const array: unknown[] = []
    this.#met.push(array)
    for (let i = 0; i < length; i++) array.push(this.value())
    return array
  }

  #plain(): object {
    const made: Record<string, unknown> = {}
    this.#met.push(made)
    for (let count = this.next(); count > 0; count--) {
      const key = this.#text()
      made[key] = this.value()
    }
    return made
  }
}
