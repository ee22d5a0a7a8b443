import type { Actor } from '../model/actor.ts'
import type {
  AtomicContext,
  Blocked,
  Check,
  Finding,
  Held,
  Leftover,
  Occasion,
  Race,
  Sleeping,
  StateView,
} from '../model/check.ts'
import { isHandling } from '../semantics/dispatch.ts'
import { evaluate } from '../semantics/faults.ts'
import { wording } from '../source/thrown.ts'
import { Holdings, isAtomicContext } from '../semantics/holdings.ts'
import type { MachineParts } from '../model/machine-parts.ts'
import type { PropertyResult, Property } from '../model/property.ts'
import { NOTHING_OFF, type Switches } from '../semantics/switches.ts'
import type { Wait } from './driver.ts'
import { within } from './memory/snapshot-port.ts'

/** What is known of a live machine of which no one runs. */
export interface LiveState {
  /** Raw values by field id. */
  readonly values: ArrayLike<number>
  /** Whether no one has taken a step. */
  readonly isInitial?: boolean
  /** Actors whose programs have ended. */
  readonly finished: ReadonlySet<number>
  /** What the others stand before, as far as they were asked. */
  readonly waits: ReadonlyMap<number, Wait>
}

/** The state of a live machine as checks see it. */
export class LiveView implements StateView {
  readonly actors: readonly Actor[]
  readonly properties: readonly Property[]
  readonly initial: boolean
  readonly #machine: MachineParts
  readonly #state: LiveState
  readonly #holdings: Holdings

  constructor(machine: MachineParts, state: LiveState) {
    this.#machine = machine
    this.#state = state
    this.#holdings = new Holdings(machine.memory)
    this.initial = state.isInitial ?? false
    this.actors = machine.actors
    this.properties = machine.properties
  }

  /** What checks that look on some of the occasions find wrong. */
  findings(checks: readonly Check[], due: readonly Occasion[]): Finding[] {
    return checks
      .filter(({ occasions }) => occasions?.some((occasion) => due.includes(occasion)))
      .flatMap((check) => check.state?.(this) ?? [])
  }

  get terminal(): boolean {
    return this.actors.every((actor) => this.isFinished(actor) || this.isBlocked(actor))
  }

  isFinished(actor: Actor): boolean {
    return this.#state.finished.has(actor.id)
  }

  /** Whether an unfinished actor was found blocked. */
  isBlocked(actor: Actor): boolean {
    return !this.isFinished(actor) && (this.#state.waits.get(actor.id)?.isBlocked ?? false)
  }

  mayStand(actor: Actor): boolean {
    return (
      this.isFinished(actor) || (actor.daemon && !(actor.kind === 'handler' && this.#within(() => isHandling(actor))))
    )
  }

  sleepsNext(actor: Actor): Sleeping | null {
    const wait = this.#state.waits.get(actor.id)
    if (!wait?.mayYield) return null
    const context = this.#within(() => contextOf(actor, this.#held(actor), wait.off))
    return isAtomicContext(context) ? { operation: wait.operation, target: wait.target, context } : null
  }

  leftover(actor: Actor): Leftover | null {
    if (!this.isFinished(actor) && !(actor.kind === 'handler' && !this.#within(() => isHandling(actor)))) return null
    const locks = this.#held(actor).flatMap(({ lock }) => (actor.hands.includes(lock) ? [] : [lock]))
    const { interruptsOff, preemptionOff } = this.#within(() => contextOf(actor, [], NOTHING_OFF))
    return locks.length > 0 || interruptsOff || preemptionOff ? { locks, interruptsOff, preemptionOff } : null
  }

  #held(actor: Actor): readonly Held[] {
    return this.#holdings.of(actor, ({ id }) => (this.#state.values[id] as number) >>> 0)
  }

  waitCycle(): readonly Actor[] {
    const holders = (actor: Actor): Actor[] => {
      const wait = this.#state.waits.get(actor.id)
      return wait?.isBlocked && wait.isHeld && !this.isFinished(actor)
        ? wait.heldBy.map((id) => this.actors[id] as Actor)
        : []
    }
    const reaches = (from: Actor, to: Actor, seen: Set<Actor>): boolean =>
      holders(from).some((next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))))
    return this.actors.filter(
      (actor) => reaches(actor, actor, new Set()) || holders(actor).some((holder) => this.isFinished(holder)),
    )
  }

  evaluate(property: Property): PropertyResult {
    try {
      return this.#within(() => evaluate(property))
    } catch (error) {
      return `it threw ${wording(error)}`
    }
  }

  /** Live CPUs show races only where a replay halts them. */
  races(): readonly Race[] {
    return []
  }

  blocked(actors: readonly Actor[]): readonly Blocked[] {
    return actors.map((actor) => {
      const wait = this.#state.waits.get(actor.id)
      if (!wait) return { actor, operation: 'spin', target: '', heldBy: [], sleeping: false, reads: [] }
      return {
        actor,
        operation: wait.isBlocked ? wait.operation : 'spin',
        target: wait.target,
        heldBy: wait.heldBy.map((id) => this.actors[id] as Actor),
        sleeping: wait.sleeping,
        reads: wait.reads,
      }
    })
  }

  #within<T>(body: () => T): T {
    return within(this.#machine.memory, this.#state.values, body)
  }
}

/**
 * What keeps an actor from sleeping, as shared memory says and, of a thread alone on its CPU, what it has switched off.
 * To be called with the machine's memory showing the state.
 */
function contextOf({ kind, state }: Actor, held: readonly Held[], { interrupts, preemption }: Switches): AtomicContext {
  return {
    isHandler: kind === 'handler',
    spinLocks: held.flatMap(({ lock, spins }) => (spins ? [lock] : [])),
    interruptsOff: interrupts > 0 || (state?.interruptsOff ?? 0) > 0,
    preemptionOff: preemption > 0 || (state?.preemptionOff ?? 0) > 0,
  }
}
