import { Refusal } from '../compile/refusal.ts'
import { CHANGE_REFUSED } from '../compile/runtime.ts'
import type { Actor } from '../model/actor.ts'
import type { Blocked, Race, StateView } from '../model/check.ts'
import type { Judgement, Property } from '../model/machine.ts'
import { isHandling, placement } from './dispatch.ts'
import { type Executor, evaluate } from './executor.ts'
import type { Interner } from './interner.ts'
import { hasFinished, localWord } from './layout.ts'
import type { RaceDetector } from './race.ts'
import type { StateReader } from './state-reader.ts'
import type { Leaf } from './step-table.ts'
import type { System } from './system.ts'

/** Counts how often properties were evaluated and `sometimes` met, across threads: two Int32 a property. */
export class PropertyTally {
  readonly #counts: Int32Array
  readonly #index: ReadonlyMap<Property, number>

  constructor(counts: Int32Array, properties: readonly Property[]) {
    this.#counts = counts
    this.#index = new Map(properties.map((property, i) => [property, i]))
  }

  /** Counts one evaluation. */
  add(property: Property, holds: boolean): void {
    const at = (this.#index.get(property) as number) * 2
    Atomics.add(this.#counts, at, 1)
    if (holds) Atomics.store(this.#counts, at + 1, 1)
  }

  /** Evaluations of a property. */
  evaluations(property: Property): number {
    return this.#counts[(this.#index.get(property) as number) * 2] as number
  }

  /** Whether it held in some state. */
  met(property: Property): boolean {
    return this.#counts[(this.#index.get(property) as number) * 2 + 1] === 1
  }
}

/** What {@link StoredStateView} looks at states with. */
export interface Viewing {
  readonly system: System
  readonly reader: StateReader
  readonly executor: Executor
  readonly interner: Interner
  readonly races: RaceDetector
  readonly tally: PropertyTally
}

/** A stored state and its steps as checks see them; one object is pointed at state after state. */
export class StoredStateView implements StateView {
  readonly actors: readonly Actor[]
  readonly properties: readonly Property[]
  readonly #with: Viewing
  #words: Int32Array = new Int32Array(0)
  #leaves: readonly (readonly Leaf[])[] = []
  terminal = false
  initial = false

  constructor(viewing: Viewing) {
    this.#with = viewing
    this.actors = viewing.system.actors
    this.properties = viewing.system.machine.properties
  }

  /** Points the view at a state. */
  show(words: Int32Array, leaves: readonly (readonly Leaf[])[], initial: boolean): void {
    this.initial = initial
    this.#words = words
    this.#leaves = leaves
    this.terminal = leaves.every((steps) => steps.every(({ outcome }) => outcome === 'blocked'))
  }

  isFinished(actor: Actor): boolean {
    return hasFinished(this.#with.system.layout, this.#words, actor.id)
  }

  mayStand(actor: Actor): boolean {
    return this.isFinished(actor) || (actor.daemon && !(actor.kind === 'handler' && this.isHandling(this.#words, actor)))
  }

  /** Whether an interrupt handler is at work in a state. */
  isHandling(words: Int32Array, actor: Actor): boolean {
    return this.#with.reader.within(words, () => isHandling(actor))
  }

  waitCycle(): readonly Actor[] {
    const holders = this.#leaves.map((steps) => (steps.length === 1 && steps[0]?.outcome === 'blocked' ? steps[0].holders : 0))
    if (holders.every((mask) => mask === 0)) return []
    const reach = [...holders]
    for (let round = 0; round < reach.length; round++) {
      reach.forEach((mask, i) => {
        for (let j = 0; j < reach.length; j++) if ((mask >> j) & 1) reach[i] = (reach[i] as number) | (holders[j] as number)
      })
    }
    return this.actors.filter((actor) => (((reach[actor.id] as number) >> actor.id) & 1) === 1)
  }

  evaluate(property: Property): Judgement {
    const { reader, tally, system } = this.#with
    system.runtime.begin()
    try {
      const holds = reader.within(this.#words, () => evaluate(property))
      tally.add(property, holds === true)
      return holds
    } catch (error) {
      if (error instanceof Refusal) throw error
      if (error instanceof TypeError && CHANGE_REFUSED.test(error.message)) throw new Refusal(`property "${property.name}" changes what it looks at: ${error.message}`, system.loaded.sourceMap.placeOf(error))
      tally.add(property, false)
      return `it threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`
    } finally {
      system.runtime.end()
    }
  }

  races(): readonly Race[] {
    return this.#with.races.races(this.#words, this.#leaves).map(({ actors, field, writes }) => ({
      actors,
      field: this.#with.system.machine.memory.fields[field]?.name ?? '',
      writes,
    }))
  }

  blocked(actors: readonly Actor[]): readonly Blocked[] {
    return actors.map((actor) => this.#blockedActor(actor))
  }

  #blockedActor(actor: Actor): Blocked {
    const { system, executor, interner, reader } = this.#with
    const code = interner.blob(this.#words[localWord(system.layout, actor.id)] as number)
    const state = executor.inspect(actor, code, this.#words)
    const isBlocked = (this.#leaves[actor.id] ?? []).every(({ outcome }) => outcome === 'blocked')
    const { cpus, holders } = reader.within(this.#words, () => placement(actor))
    if (holders.length > 0 && cpus.length === 0) return { actor, operation: 'run', target: actor.cpus.map(({ name }) => name).join(' or '), heldBy: holders, sleeping: false }
    if (state.at !== 'operation') return { actor, operation: 'spin', target: '', heldBy: [], sleeping: false }
    const { primitive, target, args, operation } = state.operation
    const heldBy = reader.within(this.#words, () => [...(primitive.holders?.(target, actor, args) ?? primitive.wakers?.(target, actor, args) ?? [])])
    return { actor, operation: isBlocked ? operation : 'spin', target: target.name, heldBy, sleeping: primitive.sleeps ?? false }
  }
}
