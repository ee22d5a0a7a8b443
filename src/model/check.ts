import type { Actor } from './actor.ts'
import type { PropertyResult, Property, PropertyForm } from './property.ts'
import type { Fault } from './memory.ts'
import type { ViolationKind } from './verdict.ts'

/** Something found wrong. */
export interface Finding {
  /** The kind of violation. */
  readonly kind: ViolationKind
  /** Name of the property that fails; findings of one kind and property are one violation. */
  readonly property: string
  /** One sentence in kernel terms. */
  readonly message: string
  /** Actors that can never move again. */
  readonly stuck?: readonly number[]
  /** Of a race: the field, and who accesses it. */
  readonly race?: { readonly field: string; readonly actors: readonly [number, number] }
}

/** An actor that cannot continue in a state, and why. */
export interface Blocked {
  /** The actor that waits. */
  readonly actor: Actor
  /** `acquire`, `block`, `when`, or `spin` for one that only repeats a loop. */
  readonly operation: string
  /** Name of the object it waits at; empty for a bare condition. */
  readonly target: string
  /** The actors that hold it, or that are known to be able to wake the waiter. */
  readonly heldBy: readonly Actor[]
  /** Whether it sleeps until another actor wakes it, rather than until an object is free. */
  readonly sleeping: boolean
  /** Of a bare condition: what its guard reads, as `page.busy = true`. */
  readonly reads: readonly string[]
}

/** A lock that an actor holds. */
export interface Held {
  /** The lock's name. */
  readonly lock: string
  /** Whether its waiters spin: who holds it must not sleep. */
  readonly spins: boolean
}

/** The reasons why an actor must not sleep. */
export interface AtomicContext {
  /** Whether it is an interrupt handler. */
  readonly isHandler: boolean
  /** Names of the spin locks that it holds. */
  readonly spinLocks: readonly string[]
  /** Whether interrupts are off. */
  readonly interruptsOff: boolean
  /** Whether preemption is off. */
  readonly preemptionOff: boolean
}

/** Something that an actor is about to do that may sleep, and what keeps it from sleeping. */
export interface Sleeping {
  /** The operation that may sleep. */
  readonly operation: string
  /** The name of what it sleeps on. */
  readonly target: string
  /** Why it may not sleep. */
  readonly context: AtomicContext
}

/** Locks and switches that an actor has not given back when it ended. */
export interface Leftover {
  /** Names of locks that it holds and was not said to hand on. */
  readonly locks: readonly string[]
  /** Whether interrupts are left off. */
  readonly interruptsOff: boolean
  /** Whether preemption is left off. */
  readonly preemptionOff: boolean
}

/** Two actors whose next accesses conflict, with nothing to order them. */
export interface Race {
  /** The two actors that access it, in order of their numbers. */
  readonly actors: readonly [Actor, Actor]
  /** Name of the field. */
  readonly field: string
  /** The name of the instance, if the field says whether that is allocated; else null. */
  readonly lifeOf: string | null
  /** Which of the two writes it. */
  readonly writes: readonly [boolean, boolean]
}

/** One stored state, as checks see it. */
export interface StateView {
  /** The machine's actors, in order. */
  readonly actors: readonly Actor[]
  /** The machine's properties. */
  readonly properties: readonly Property[]
  /** Whether no actor can take a step. */
  readonly terminal: boolean
  /** Whether it is the initial state. */
  readonly initial: boolean
  /** Whether an actor's program has ended. */
  isFinished(actor: Actor): boolean
  /** Whether it may stand still forever: it has finished, or is a daemon; an interrupt handler may not while it is running. */
  mayStand(actor: Actor): boolean
  /** Actors that can never move again because each waits for another of them, or for one that has finished, who alone could end its wait; empty without such. */
  waitCycle(): readonly Actor[]
  /** Whether the property holds here, or what is wrong. Counts the evaluation. */
  evaluate(property: Property): PropertyResult
  /** Pairs of accesses that may happen at the same time, and conflict. */
  races(): readonly Race[]
  /** The next operation of an actor, if it may sleep in a context in which it must not; else null. */
  sleepsNext(actor: Actor): Sleeping | null
  /** Locks and switches that an actor that has ended, or a handler that is not running, still holds; null: none. */
  leftover(actor: Actor): Leftover | null
  /** Why unfinished actors cannot continue; only for reports, slow. */
  blocked(actors: readonly Actor[]): readonly Blocked[]
}

/**
 * What makes a stored state worth a check's look: `initial`; `terminal`: no one can move; `wait-cycle`: actors wait for
 * each other, or for one that has finished; `rest`: every actor that must finish has, and no one who runs on can change
 * anything, endless ones apart; `broken`: a property evaluated in every state does not hold; `race`: accesses conflict;
 * `sleep`: an actor is about to sleep where it must not; `leftover`: one has ended and still holds something.
 */
export type Occasion = 'initial' | 'terminal' | 'wait-cycle' | 'rest' | 'broken' | 'race' | 'sleep' | 'leftover'

/** A property and the way it is detected. One file in checks/, one line in its index. */
export interface Check {
  /** As `--check NAME` names it. */
  readonly name: string
  /** One line for listings. */
  readonly about: string
  /** A step ended in a fault; null: not this check's. */
  fault?(fault: Fault): Finding | null
  /** Forms of the properties that are to be evaluated in every stored state. */
  readonly evaluates?: readonly PropertyForm[]
  /** Which stored states the check wants to see. */
  readonly occasions?: readonly Occasion[]
  /** The check looks at states only if the machine has a property of this form. */
  readonly needs?: PropertyForm
  /** Called once for every stored state on one of its occasions. */
  state?(state: StateView): readonly Finding[]
  /** Called after the search for a state in which actors can never move again, or from which rest cannot be reached. */
  hang?(state: StateView, stuck: readonly Actor[]): Finding | null
  /** Called after an exhaustive search: properties with whether each was evaluated and, for `sometimes`, met. */
  end?(
    properties: readonly { readonly property: Property; readonly evaluated: boolean; readonly met: boolean }[],
    active: readonly Check[],
  ): readonly Finding[]
}
