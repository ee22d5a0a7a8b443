import { locationOf } from '../../model/locations.ts'
import type { StructType } from '../../model/struct.ts'
import type { Activation, Stops } from '../../runtime/runtime.ts'
import { isAtomicAccess } from '../../semantics/step-bounds.ts'
import { Refusal } from '../../source/refusal.ts'
import { isKind } from '../../source/thrown.ts'
import type { LocalCodec } from '../state/local-codec.ts'
import type { System } from '../state/system.ts'
import type { StepMemory } from './step-memory.ts'

/** Where the thread of a step can be stored: after an operation, and at the labels before accesses that the lowering has put there. */
export class StepStops implements Stops {
  /** Encoding of the stack where it could last be stored; null: it has not been there. */
  base: readonly number[] | null = null
  readonly #memory: StepMemory
  readonly #codec: LocalCodec
  /** Whether accesses of some field are atomic by themselves. */
  readonly #hasAtomic: boolean
  /** Whether the label just taken is before an access that belongs to the next step. */
  #isOver = false

  constructor(memory: StepMemory, { machine }: System, codec: LocalCodec) {
    this.#memory = memory
    this.#codec = codec
    this.#hasAtomic = machine.memory.fields.some(({ access }) => isAtomicAccess(access, true))
  }

  /** Encoding of where the thread is now: where it could last be stored, and what it has accessed since. */
  code(): number[] {
    const { entries } = this.#memory.log
    return this.base ? this.#codec.withLog(this.base, entries) : this.#codec.start(entries)
  }

  stops(object: unknown, key: unknown, isWrite: boolean): boolean {
    if (!this.anchors() || typeof object !== 'object' || object === null) return false
    const location = locationOf(object)
    if (!location) return hasAccessor(object, key) // which may access fields out of sight
    const field = location.fields[(location.type as StructType<never>).keys.indexOf(key as never)]
    this.#isOver =
      field !== undefined && field.access !== 'internal' && this.#memory.bounds.cutsBefore(field.access, isWrite)
    return this.#isOver
  }

  anchors(): boolean {
    this.#isOver = false
    return this.#memory.isPlain && this.#memory.bounds.mayCut(this.#hasAtomic)
  }

  /**
   * The code has taken a label: if all that it still uses can be stored, it starts again from there, and what it has read
   * before is not needed any more. Whether the step ends there.
   *
   * @param site of the label
   */
  readonly take = (site: number): boolean => {
    const { stack, log } = this.#memory
    const top = stack.at(-1) as Activation
    const before = top.site
    top.site = site
    try {
      this.base = this.#codec.beforeAccess(stack)
    } catch (error) {
      if (!isKind(error, Refusal)) throw error
      top.site = before
      return false
    }
    log.forget()
    return this.#isOver
  }
}

/** Whether a property is read or written by code of its object. */
function hasAccessor(object: object, key: unknown): boolean {
  if (typeof key !== 'string') return false
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const property = Object.getOwnPropertyDescriptor(at, key)
    if (property) return property.get !== undefined || property.set !== undefined
  }
  return false
}
