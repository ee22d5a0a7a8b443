import type { ObjectTable } from '../../runtime/freeze.ts'
import type { Activation, Runtime } from '../../runtime/runtime.ts'
import { ClosureOperation, type Operation } from '../../model/operation.ts'
import type { Switches } from '../../semantics/switches.ts'
import { Decoder } from './local-decoder.ts'
import { Encoder } from './local-encoder.ts'
import { KIND, type LocalState, type Mentions } from './local-form.ts'

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

  /** The encoding of a call stack before an operation; a closure operation is left out, to be evaluated again. */
  beforeOperation(stack: readonly Activation[], operation: Operation<unknown>): number[] {
    const top = stack.at(-1) as Activation
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
  afterOperation(stack: readonly Activation[], result: unknown): number[] {
    return this.#resuming(new Encoder(this.#runtime, this.#objects), stack, result)
  }

  /**
   * The encoding of a call stack before an access, if it can be stored: like {@link afterOperation}, without a log.
   * @throws Refusal for what cannot be stored, with everything left as it was
   */
  beforeAccess(stack: readonly Activation[]): number[] {
    return this.#resuming(new Encoder(this.#runtime, this.#objects, true), stack, undefined)
  }

  #resuming(encoder: Encoder, stack: readonly Activation[], result: unknown): number[] {
    encoder.out.push(KIND.resume)
    encoder.stack(stack)
    encoder.value(result, 'the result of an operation')
    return encoder.out
  }

  /** Adds a log to an encoding made by {@link afterOperation} or {@link beforeAccess}. */
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

  /** Restores a local state outside of a step, to set it back for many. */
  decodeAhead(code: Int32Array): LocalState & { readonly switches: Switches } {
    this.#runtime.begin()
    try {
      return this.decode(code)
    } finally {
      this.#runtime.end()
    }
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
