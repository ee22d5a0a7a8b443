import type { Actor } from '../../model/actor.ts'
import type { Operation } from '../../model/operation.ts'
import { sharesCpu } from '../../semantics/dispatch.ts'
import { holdersOf } from '../../semantics/awaited.ts'
import type { LocalCodec } from '../state/local-codec.ts'
import type { LocalStates } from '../state/local-states.ts'
import type { StateReader } from '../state/state-reader.ts'
import type { System } from '../state/system.ts'

/** A guard: an operation that blocks, of which it can be told who alone could end that. */
interface BlockingGuard {
  readonly key: string
  readonly operation: Operation<unknown>
}

/**
 * The operations that actors may be blocked at, and whether one is closed in a state until a certain actor moves. An
 * actor beyond a closed guard need not be thought of: it cannot get there before that one has moved. One a thread.
 */
export class BlockingGuards {
  readonly #system: System
  readonly #codec: LocalCodec
  readonly #locals: LocalStates
  readonly #reader: StateReader
  /** By actor: its blockingGuards, in order of discovery. */
  readonly #blockingGuards: BlockingGuard[][]
  /** By actor and local state: the number of the guard before which it stands. */
  readonly #at: Map<number, number>[]

  constructor(system: System, codec: LocalCodec, locals: LocalStates, reader: StateReader) {
    this.#system = system
    this.#codec = codec
    this.#locals = locals
    this.#reader = reader
    this.#blockingGuards = system.actors.map(() => [])
    this.#at = system.actors.map(() => new Map())
  }

  /** A local state in which an actor was seen to be blocked. */
  add(actor: number, local: number): void {
    const { runtime, objects } = this.#system
    runtime.begin()
    const state = this.#codec.decode(this.#locals.blob(actor, local))
    runtime.end()
    if (state.at !== 'operation') return
    const { operation } = state
    const key = [
      objects.indexOf(operation.target),
      operation.operation,
      ...operation.args.map((arg) =>
        typeof arg === 'object' && arg !== null ? `#${objects.indexOf(arg)}` : String(arg),
      ),
    ].join(' ')
    const blockingGuards = this.#blockingGuards[actor] as BlockingGuard[]
    const known = blockingGuards.findIndex((guard) => guard.key === key)
    this.#at[actor]?.set(local, known >= 0 ? known : blockingGuards.push({ key, operation }) - 1)
  }

  /** The guard before which a local state stands, or -1. */
  at(actor: number, local: number): number {
    return this.#at[actor]?.get(local) ?? -1
  }

  /** Whether an actor that waits at a guard can still do something: give up the CPU that it shares. */
  mayLeave(actor: number): boolean {
    return sharesCpu(this.#system.actors[actor] as Actor)
  }

  /** The blockingGuards of an actor that are closed in a state and stay so until `keeper` moves. */
  closed(actor: Actor, keeper: Actor, words: Int32Array): number[] {
    const closed: number[] = []
    const blockingGuards = this.#blockingGuards[actor.id] as BlockingGuard[]
    for (let guard = 0; guard < blockingGuards.length; guard++)
      if (this.#isClosed((blockingGuards[guard] as BlockingGuard).operation, actor, keeper, words)) closed.push(guard)
    return closed
  }

  #isClosed(operation: Operation<unknown>, actor: Actor, keeper: Actor, words: Int32Array): boolean {
    const { primitive, target, args } = operation
    try {
      return this.#reader.within(
        words,
        () =>
          primitive.enabled !== undefined &&
          !primitive.enabled(target, actor, args) &&
          (holdersOf(operation, actor) ?? []).includes(keeper),
        actor,
      )
    } catch {
      return false // it looks at something that is not allocated here
    }
  }
}
