import type { ObjectTable } from '../../runtime/freeze.ts'
import { type Activation, type Runtime, Walk } from '../../runtime/runtime.ts'
import { Operation, type SyncObject } from '../../model/operation.ts'
import { wording } from '../../source/thrown.ts'
import { type Mentions, TAG, VIEWS } from './local-form.ts'

const scratch = new DataView(new ArrayBuffer(8))

/** Reads one local state from the words that the encoder wrote, and notes what they mention. */
export class Decoder {
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

  /** The next word. */
  next(): number {
    return this.#code[this.#at++] as number
  }

  /** The words that are left. */
  left(): readonly number[] {
    return [...this.#code.subarray(this.#at)]
  }

  /** A log: its length and its words, of which every second names something. */
  log(): number[] {
    const length = this.next()
    for (let at = 0; at < length; at += 2) this.mentions.logged.push(this.#at + at)
    return Array.from({ length }, () => this.next())
  }

  /** A call stack, in fresh activations. */
  stack(): Activation[] {
    return Array.from({ length: this.next() }, () => this.#activation())
  }

  /** An operation. */
  operation(): Operation<unknown> {
    const target = this.value() as SyncObject
    const name = this.#text()
    const args = Array.from({ length: this.next() }, () => this.value())
    return new Operation(target, name, args)
  }

  /** A value. */
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

  #activation(): Activation {
    this.mentions.functions.push(this.#at)
    const fn = this.#runtime.functions[this.next()] as () => Activation
    const activation = fn()
    activation.taken = true
    activation.n = this.next()
    activation.p = this.next()
    activation.site = this.next()
    for (let pending = this.next(); pending > 0; pending--) {
      const entry = activation.tries[this.next()] as unknown[]
      entry[4] = this.next()
      entry[5] = this.value()
    }
    const slots: unknown[] = Array.from({ length: activation.info.slots.length }, () => this.#runtime.poison)
    for (const slot of activation.info.live[activation.n] ?? []) slots[slot] = this.value()
    activation.slots = slots
    return activation
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
