import { Refusal } from '../../source/refusal.ts'
import { CHANGE_REFUSED } from '../../runtime/runtime.ts'
import type { Actor } from '../../model/actor.ts'
import type { Blocked, Leftover, Race, Sleeping, StateView } from '../../model/check.ts'
import type { PropertyResult, Property } from '../../model/property.ts'
import { isHandling, cpuChoice } from '../../semantics/dispatch.ts'
import { isAtomicContext } from '../../semantics/holdings.ts'
import type { Balance } from './balance.ts'
import { awaitedBy, untold } from '../../semantics/awaited.ts'
import { evaluate } from '../../semantics/faults.ts'
import { isErrorOf, isKind, wording, wordsOf } from '../../source/thrown.ts'
import type { Field } from '../../model/field.ts'
import type { Operation } from '../../model/operation.ts'
import { valueLine } from '../../trace/narration.ts'
import type { Executor } from '../step/executor.ts'
import { mayWrite } from '../step/may-write.ts'
import { BLOCKED, INTERRUPTS_OFF, LEAF, OUTCOME, PREEMPTION_OFF, SLEEPS } from '../table/leaf.ts'
import type { LocalStates } from '../state/local-states.ts'
import type { RaceDetector } from './race.ts'
import type { StateReader } from '../state/state-reader.ts'
import type { StepTable } from '../table/step-table.ts'
import { Steps } from '../table/steps.ts'
import type { SymmetryGuard } from '../symmetry/guard.ts'
import type { System } from '../state/system.ts'

/** Which properties were evaluated, and held, anywhere in a search, across threads: two Int32 a property. */
export class PropertyCounts {
  readonly #flags: Int32Array
  readonly #index: ReadonlyMap<Property, number>

  constructor(flags: Int32Array, properties: readonly Property[]) {
    this.#flags = flags
    this.#index = new Map(properties.map((property, i) => [property, i]))
  }

  /** A property was evaluated. */
  add(property: Property, holds: boolean): void {
    const at = (this.#index.get(property) as number) * 2
    Atomics.store(this.#flags, at, 1)
    if (holds) Atomics.store(this.#flags, at + 1, 1)
  }

  /** Whether a property was evaluated. */
  evaluated(property: Property): boolean {
    return this.#flags[(this.#index.get(property) as number) * 2] === 1
  }

  /** Whether it held in some state. */
  met(property: Property): boolean {
    return this.#flags[(this.#index.get(property) as number) * 2 + 1] === 1
  }
}

/** What {@link StoredStateView} looks at states with. */
export interface Viewing {
  readonly system: System
  readonly reader: StateReader
  readonly executor: Executor
  readonly locals: LocalStates
  readonly table: StepTable
  readonly races: RaceDetector
  readonly propertyCounts: PropertyCounts
  readonly guard: SymmetryGuard | null
  readonly balance: Balance
  /** Told which fields a property read. */
  sees(property: Property, read: ReadonlyMap<number, number>): void
}

/** A stored state and its steps as checks see them; one object is pointed at state after state. */
export class StoredStateView implements StateView {
  readonly actors: readonly Actor[]
  readonly properties: readonly Property[]
  readonly #with: Viewing
  #words: Int32Array = new Int32Array(0)
  #steps = new Steps(0)
  /** Position of the state among those whose steps were found together. */
  #position = 0
  terminal = false
  initial = false

  constructor(viewing: Viewing) {
    this.#with = viewing
    this.actors = viewing.system.actors
    this.properties = viewing.system.machine.properties
  }

  /**
   * Points the view at a state and the steps out of it.
   *
   * @param position of the state among those whose steps these are
   */
  show(words: Int32Array, steps: Steps, position: number, initial: boolean): void {
    this.initial = initial
    this.#words = words
    this.#steps = steps
    this.#position = position
    this.terminal = this.actors.every((actor) => this.isBlocked(actor))
  }

  /** Whether an actor cannot take a step; one that has finished cannot. */
  isBlocked(actor: Actor): boolean {
    return this.#steps
      .of(actor.id, this.#position)
      .every((leaf) => ((this.#with.table.words[leaf] as number) & OUTCOME) === BLOCKED)
  }

  isFinished(actor: Actor): boolean {
    return this.#with.locals.hasFinished(this.#words, actor.id)
  }

  mayStand(actor: Actor): boolean {
    return (
      this.isFinished(actor) || (actor.daemon && !(actor.kind === 'handler' && this.isHandling(this.#words, actor)))
    )
  }

  /** Whether an interrupt handler is running in a state. */
  isHandling(words: Int32Array, actor: Actor): boolean {
    return this.#with.reader.within(words, () => isHandling(actor))
  }

  sleepsNext(actor: Actor): Sleeping | null {
    const { table, balance } = this.#with
    const heads = [...this.#steps.of(actor.id, this.#position)].map((leaf) => table.words[leaf] as number)
    if (!heads.some((head) => (head & SLEEPS) !== 0)) return null
    const all = heads.reduce((bits, head) => bits | head, 0)
    const context = balance.context(actor, this.#words, (all & INTERRUPTS_OFF) !== 0, (all & PREEMPTION_OFF) !== 0)
    if (!isAtomicContext(context)) return null
    const { executor, locals } = this.#with
    const state = executor.inspect(actor, locals.code(this.#words, actor.id), this.#words)
    return state.at === 'operation'
      ? { operation: state.operation.operation, target: state.operation.target.name, context }
      : null
  }

  leftover(actor: Actor): Leftover | null {
    return this.isFinished(actor) || actor.kind === 'handler' ? this.#with.balance.leftover(actor, this.#words) : null
  }

  waitCycle(): readonly Actor[] {
    const holders = this.actors.map((actor) => this.#holders(actor))
    if (holders.every((mask) => mask === 0)) return []
    const finished = this.actors.reduce((mask, actor) => (this.isFinished(actor) ? mask | (1 << actor.id) : mask), 0)
    const reach = [...holders]
    for (let round = 0; round < reach.length; round++) {
      reach.forEach((mask, i) => {
        for (let j = 0; j < reach.length; j++)
          if ((mask >> j) & 1) reach[i] = (reach[i] as number) | (holders[j] as number)
      })
    }
    return this.actors.filter(
      (actor) =>
        (((reach[actor.id] as number) >> actor.id) & 1) === 1 || ((holders[actor.id] as number) & finished) !== 0,
    )
  }

  /** Mask of the actors that alone could end a blocked attempt. */
  #holders(actor: Actor): number {
    const { words } = this.#with.table
    const leaves = this.#steps.of(actor.id, this.#position)
    const [leaf] = leaves
    return leaves.length === 1 && leaf !== undefined && ((words[leaf] as number) & OUTCOME) === BLOCKED
      ? (words[leaf + LEAF.holders] as number)
      : 0
  }

  evaluate(property: Property): PropertyResult {
    const { result: holds, read } = this.#with.reader.observed(() => this.evaluateIn(this.#words, property))
    this.#with.sees(property, read)
    this.#with.guard?.checkProperty(property, this.#words, holds === true, read, (words) =>
      this.#with.reader.observed(() => this.evaluateIn(words, property) === true),
    )
    return holds
  }

  /** Whether a property holds in any state, or what is wrong. */
  evaluateIn(words: Int32Array, property: Property): PropertyResult {
    const { reader, propertyCounts, system } = this.#with
    system.runtime.begin()
    try {
      const holds = reader.within(words, () => evaluate(property))
      propertyCounts.add(property, holds === true)
      return holds
    } catch (error) {
      if (isKind(error, Refusal)) throw error
      if (isErrorOf(TypeError, CHANGE_REFUSED, error))
        throw new Refusal(
          `property "${property.name}" changes what it looks at: ${wordsOf(error).message}`,
          system.loaded.sourceMap.placeOf(error),
        )
      propertyCounts.add(property, false)
      return `it threw ${wording(error)}`
    } finally {
      system.runtime.end()
    }
  }

  races(): readonly Race[] {
    return this.#with.races.races(this.#words, this.#steps, this.#position).map(({ actors, field, writes }) => ({
      actors,
      field: this.#with.system.machine.memory.fields[field]?.name ?? '',
      lifeOf: this.#with.system.machine.memory.fields[field]?.lifeOf ?? null,
      writes,
    }))
  }

  blocked(actors: readonly Actor[]): readonly Blocked[] {
    return actors.map((actor) => this.#blockedActor(actor))
  }

  /** Who waits for a holder, and whose code beyond that wait can still wake a sleeper: by writing what its guard reads. */
  #wakers(sleeper: Actor, fields: ReadonlySet<number>): Actor[] {
    const { executor, locals, system } = this.#with
    return this.actors.filter(
      (actor) =>
        actor !== sleeper &&
        !this.isFinished(actor) &&
        this.#holders(actor) !== 0 &&
        mayWrite(executor, system, { actor, code: locals.code(this.#words, actor.id), words: this.#words }, fields),
    )
  }

  /** Whom an attempt waits for, as its operation says. */
  #awaited(operation: Operation<unknown>, actor: Actor): readonly Actor[] {
    const { reader, system } = this.#with
    try {
      return reader.within(this.#words, () => [...awaitedBy(operation, actor)], actor)
    } catch (error) {
      throw new Refusal(untold(operation, error), system.loaded.sourceMap.placeOf(error))
    }
  }

  #blockedActor(actor: Actor): Blocked {
    const { executor, locals, reader, system } = this.#with
    const state = executor.inspect(actor, locals.code(this.#words, actor.id), this.#words)
    const isBlocked = this.isBlocked(actor)
    const { cpus, holders } = reader.within(this.#words, () => cpuChoice(actor))
    if (holders.length > 0 && cpus.length === 0)
      return {
        actor,
        operation: 'run',
        target: actor.cpus.map(({ name }) => name).join(' or '),
        heldBy: holders,
        sleeping: false,
        reads: [],
      }
    if (state.at !== 'operation')
      return { actor, operation: 'spin', target: '', heldBy: [], sleeping: false, reads: [] }
    const { primitive, target, args, operation } = state.operation
    const known = this.#awaited(state.operation, actor)
    const { read } = reader.observed(() =>
      reader.within(this.#words, () => attempt(() => primitive.enabled?.(target, actor, args))),
    )
    const heldBy =
      known.length === 0 && isBlocked && primitive.sleeps ? this.#wakers(actor, new Set(read.keys())) : known
    const reads =
      target.name === ''
        ? [...read].map(([id, raw]) => valueLine(system.layout.fields[id] as Field, raw, system.machine.memory))
        : []
    return {
      actor,
      operation: isBlocked ? operation : 'spin',
      target: target.name,
      heldBy,
      sleeping: primitive.sleeps ?? false,
      reads,
    }
  }
}

/** What a guard gives, or nothing where it throws: it is asked only to see what it reads. */
function attempt(guard: () => unknown): unknown {
  try {
    return guard()
  } catch {
    return undefined
  }
}
