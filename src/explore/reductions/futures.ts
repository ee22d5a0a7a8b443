import type { Symmetry } from '../symmetry/symmetry.ts'
import type { ReadWriteSet, Accesses } from '../step/accesses.ts'
import { Closure } from './closure.ts'
import { components } from './components.ts'
import type { BlockingGuards } from './blocking-guards.ts'
import type { StepFacts, StepFact } from './step-facts.ts'

/** What is known of one local state of an actor. */
interface Place {
  readonly accesses: Set<number>
  readonly next: Set<number>
  isHeld: boolean
}

/** What is touched from each local state of an actor on while some blockingGuards are closed. */
interface Passable {
  readonly closed: ReadonlySet<number>
  readonly closure: Closure
}

/**
 * What each actor may yet do, as far as steps seen so far tell: from a local state, all that its steps and blocked
 * attempts touch, and those of the local states they lead to. One a thread; what is taken into account advances at
 * barriers only, so that it does not depend on the threads.
 */
export class Futures {
  readonly #knownFacts: StepFacts
  readonly #accesses: Accesses
  readonly #symmetry: Symmetry | null
  readonly #blockingGuards: BlockingGuards
  /** By actor and local state. */
  readonly #places: Map<number, Place>[]
  readonly #visible: Int32Array
  readonly #lessons = new Set<string>()
  /** By actor and closed blockingGuards: what is touched from each local state on. */
  readonly #after: Map<string, Passable>[]
  /** By actor: local states between which it can go to and fro; null: not known yet. */
  #components: (ReadonlyMap<number, number> | null)[]
  #advanced = 0

  constructor(
    actors: number,
    knownFacts: StepFacts,
    accesses: Accesses,
    symmetry: Symmetry | null,
    blockingGuards: BlockingGuards,
  ) {
    this.#knownFacts = knownFacts
    this.#accesses = accesses
    this.#symmetry = symmetry
    this.#blockingGuards = blockingGuards
    this.#places = Array.from({ length: actors }, () => new Map())
    this.#after = Array.from({ length: actors }, () => new Map())
    this.#components = Array.from({ length: actors }, () => null)
    this.#visible = new Int32Array(accesses.words)
  }

  /** Fields that properties evaluated in every state read. */
  get visible(): Int32Array {
    return this.#visible
  }

  /** Takes into account what was learnt up to a number of things. */
  advance(known: number): void {
    if (known <= this.#advanced) return
    const places = this.#lessons.size
    for (; this.#advanced < known; this.#advanced++) {
      const thing = this.#knownFacts.get(this.#advanced)
      if ('field' in thing) this.#see(thing.field)
      else this.#take(thing)
    }
    if (this.#lessons.size === places) return
    this.#components = this.#components.map(() => null)
  }

  /**
   * All that an actor may touch from a local state on.
   *
   * @param closed blockingGuards that it cannot pass: from local states before one of these nothing is touched
   */
  after(actor: number, local: number, closed: readonly number[]): ReadWriteSet {
    const byGates = this.#after[actor] as Map<string, Passable>
    const key = closed.length === 0 ? '' : closed.join()
    let known = byGates.get(key)
    if (!known) byGates.set(key, (known = this.#close(actor, new Set(closed))))
    return known.closure.after(local)
  }

  /** Whether an actor can come back from one local state to another. */
  returns(actor: number, from: number, to: number): boolean {
    const places = this.#places[actor] as Map<number, Place>
    const known = (this.#components[actor] ??= components(
      new Map([...places].map(([local, { next }]) => [local, next])),
    ))
    return known.has(from) && known.get(from) === known.get(to)
  }

  #see(field: number): void {
    for (const one of this.#fieldsAlike(field))
      this.#visible[one >> 5] = (this.#visible[one >> 5] as number) | (1 << (one & 31))
  }

  #fieldsAlike(field: number): Set<number> {
    const found = new Set([field])
    for (const one of found)
      for (const image of this.#symmetry?.generators ?? [])
        found.add((this.#symmetry as Symmetry).names.field(one, image))
    return found
  }

  /** Takes a lesson, and all that renaming makes of it: states are seen under one of their names only. */
  #take(lesson: StepFact): void {
    const queue = [lesson]
    for (const one of queue) {
      const key = `${one.actor} ${one.local} ${one.access} ${one.next}`
      if (this.#lessons.has(key)) continue
      this.#lessons.add(key)
      this.#note(one)
      for (const image of this.#symmetry?.generators ?? [])
        queue.push(this.#renamed(one, image, this.#symmetry as Symmetry))
    }
  }

  #renamed(
    { actor, local, access, next, isHeld }: StepFact,
    image: Int32Array,
    { names, localNames }: Symmetry,
  ): StepFact {
    return {
      actor: names.actor(actor, image),
      local: localNames.rename(actor, local, image),
      access: this.#accesses.rename(access, (field) => names.field(field, image)),
      next: next < 0 ? next : localNames.rename(actor, next, image),
      isHeld,
    }
  }

  #note({ actor, local, access, next, isHeld }: StepFact): void {
    const places = this.#places[actor] as Map<number, Place>
    let place = places.get(local)
    if (!place) places.set(local, (place = { accesses: new Set(), next: new Set(), isHeld: false }))
    if (isHeld && !place.isHeld) {
      place.isHeld = true
      this.#blockingGuards.add(actor, local)
      this.#after[actor] = new Map() // what is after it counts less now where its gate is closed
    }
    place.accesses.add(access)
    if (next >= 0) place.next.add(next)
    for (const passable of (this.#after[actor] as Map<string, Passable>).values())
      this.#extend(actor, local, place, passable, [access], next >= 0 ? [next] : [])
  }

  #close(actor: number, closed: ReadonlySet<number>): Passable {
    const passable = { closed, closure: new Closure(this.#accesses) }
    for (const [local, place] of this.#places[actor] as Map<number, Place>)
      this.#extend(actor, local, place, passable, place.accesses, place.next)
    return passable
  }

  /** Adds what is touched in a local state, and where it leads to, unless a closed gate keeps the actor there. */
  #extend(
    actor: number,
    local: number,
    { isHeld }: Place,
    { closed, closure }: Passable,
    accesses: Iterable<number>,
    next: Iterable<number>,
  ): void {
    const isClosed = isHeld && closed.has(this.#blockingGuards.at(actor, local))
    // one that shares its CPU may still give it up there
    if (isClosed && !this.#blockingGuards.mayLeave(actor)) return
    for (const access of accesses) closure.add(local, this.#accesses.get(access))
    if (!isClosed) for (const one of next) closure.connect(local, one)
  }
}
