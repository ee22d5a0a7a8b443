import { isNativeError } from 'node:util/types'
import type { ObjectTable } from '../../runtime/freeze.ts'
import { Activation, type Runtime, Walk } from '../../runtime/runtime.ts'
import { showValue } from '../../model/memory.ts'
import { Operation } from '../../model/operation.ts'
import { Refusal } from '../../source/refusal.ts'
import { article } from '../../source/texts.ts'
import { TAG, VIEWS } from './local-form.ts'

/** Words of a local state at most. */
const MAX_WORDS = 1 << 20

const scratch = new DataView(new ArrayBuffer(8))

/** Writes one local state to words. Each value begins with a tag, so that no two values share an encoding. */
export class Encoder {
  /** The words so far. */
  readonly out: number[] = []
  readonly #runtime: Runtime
  readonly #objects: ObjectTable
  readonly #isTry: boolean
  readonly #met = new Map<object, number>()
  #current: Activation | null = null

  /** @param isTry whether what cannot be stored goes on to be used: nothing is changed for being stored */
  constructor(runtime: Runtime, objects: ObjectTable, isTry = false) {
    this.#runtime = runtime
    this.#objects = objects
    this.#isTry = isTry
  }

  /** Writes a call stack, the outermost activation first. */
  stack(stack: readonly Activation[]): void {
    this.out.push(stack.length)
    for (const activation of stack) this.#activation(activation)
    this.#current = null
  }

  /** Writes an operation: its object, its name and its arguments. */
  operation(operation: Operation<unknown>): void {
    this.value(operation.target, 'the object of an operation')
    this.#text(operation.operation)
    this.out.push(operation.args.length)
    for (const arg of operation.args) this.value(arg, `an argument of ${operation.operation}`)
  }

  /**
   * Writes a value.
   * @param what it is, as messages call it
   * @throws Refusal for what cannot be stored
   */
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

  #activation(activation: Activation): void {
    const index = this.#runtime.functionIndex.get(activation.fn)
    if (index === undefined) {
      throw new Refusal(
        `the generator function ${activation.info.name} is created inside a step and stands on the stack at a point: declare it outside of programs`,
        this.#runtime.place(activation.info.site),
      )
    }
    this.#current = activation
    const pending = activation.tries.flatMap((entry, i) => (entry[4] ? [[i, entry[4], entry[5]] as const] : []))
    this.out.push(index, activation.n, region(activation), activation.site, pending.length)
    for (const [i, type, value] of pending) {
      this.out.push(i, type)
      this.value(value, 'the value that waits for a finally block')
    }
    const slots = activation.slots
    for (const slot of activation.info.live[activation.n] ?? [])
      this.value(slots[slot], slotName(activation.info.slots[slot] as string))
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

  /** Local states are small; one that is not would take minutes before a user saw why. */
  #limit(more: number): void {
    if (this.out.length + more > MAX_WORDS)
      throw this.#refuse('a program', `more than ${MAX_WORDS.toLocaleString('en')} numbers or characters`)
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
    if (value instanceof Activation) throw this.#refuse(what, 'a generator (did you forget yield*?)')
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
    if (this.#isTry && walk.isOpen) throw this.#refuse(what, 'an iterator')
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
    const activation = this.#current
    const where = activation ? ` in ${activation.info.name}` : ''
    return new Refusal(
      `${what}${where} holds ${held} at a point, which cannot be stored: keep plain data there, or make it outside of the program`,
      this.#runtime.place(activation ? activation.site || activation.info.site : this.#runtime.site),
    )
  }
}

/** Temporary variables of lowered code have no name that the author knows. */
function slotName(name: string): string {
  return /^_t\d*$/.test(name) ? 'a value in the middle of an expression' : `"${name}"`
}

/** The try cursor reduced to what the try table can tell apart. */
function region(activation: Activation): number {
  let found = 0
  for (const entry of activation.tries) {
    for (let i = 0; i < 3; i++) {
      const label = entry[i] as number | undefined
      if (label !== undefined && label <= activation.p && label > found) found = label
    }
  }
  return found
}
