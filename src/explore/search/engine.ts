import type { Bundle } from '../../bundle/bundle.ts'
import { load } from '../../runtime/load.ts'
import { Refusal } from '../../source/refusal.ts'
import type { Check } from '../../model/check.ts'
import type { Field } from '../../model/field.ts'
import type { Property, PropertyForm } from '../../model/property.ts'
import type { ArenaBuffers } from '../table/arena.ts'
import { Balance } from '../successors/balance.ts'
import { LocalCodec } from '../state/local-codec.ts'
import { Executor } from '../step/executor.ts'
import { Expansion } from './expansion.ts'
import { Footprints, footprintBuffers } from '../step/footprints.ts'
import type { InternerBuffers } from '../state/interner.ts'
import { LocalStates, localBuffers } from '../state/local-states.ts'
import { ActorProgress } from '../hangs/progress.ts'
import { Accesses, accessBuffers } from '../step/accesses.ts'
import { Futures } from '../reductions/futures.ts'
import { BlockingGuards } from '../reductions/blocking-guards.ts'
import { StepFacts, stepFactBuffers } from '../reductions/step-facts.ts'
import { PersistentSets } from '../reductions/persistent-sets.ts'
import { Profile } from '../successors/profile.ts'
import { PropertyTable } from '../table/property-table.ts'
import { RaceDetector } from '../successors/race.ts'
import { StateWords } from '../store/state-words.ts'
import { SleepSets } from '../reductions/sleep-sets.ts'
import { StateReader } from '../state/state-reader.ts'
import type { StateMemory } from '../store/allocation.ts'
import { hiddenLock } from '../step/step-refusals.ts'
import { StateStore } from '../store/state-store.ts'
import { PropertyCounts, StoredStateView } from '../successors/state-view.ts'
import type { Granularity } from '../../semantics/step-bounds.ts'
import { extraRoot, stepArena } from '../table/step-roots.ts'
import { StepTable } from '../table/step-table.ts'
import { Successors } from '../successors/successors.ts'
import { SymmetryGuard } from '../symmetry/guard.ts'
import { Names } from '../symmetry/names.ts'
import { type UnusedSet, interchangeableSets } from '../symmetry/sets.ts'
import { Symmetry } from '../symmetry/symmetry.ts'
import { TUNING, type Tuning } from '../store/tuning.ts'
import { type System, buildSystem, initialWords } from '../state/system.ts'
import { describeMachine, unsteady } from '../../runtime/build.ts'

/**
 * Whether the hang check comes after the search: `settled`, with nothing claimed of states that are findings already nor
 * of those before them; `exact`, of all.
 */
export type HangSearch = 'off' | 'settled' | 'exact'

/** How a search is reduced. */
export interface Reductions {
  /** Whether interchangeable members are renamed, and sets for which that was found out to be wrong. */
  readonly symmetry: { readonly without: readonly string[] } | null
  readonly partialOrder: boolean
}

/** Every reachable state is stored. */
export const NO_REDUCTION: Reductions = { symmetry: null, partialOrder: false }

/** What every thread of one search is made from: a recipe, not values. */
export interface EngineRecipe {
  readonly bundle: Bundle
  readonly params: Readonly<Record<string, unknown>>
  readonly granularity: Granularity
  /** Names of the checks that are on. */
  readonly checks: readonly string[]
  /** Local states, actor by actor. */
  readonly locals: readonly InternerBuffers[]
  readonly footprints: InternerBuffers
  readonly accesses: InternerBuffers
  /** What partial-order reduction learns; null when it is off. */
  readonly knownFacts: InternerBuffers | null
  /** The step table, and behind its roots one for each property. */
  readonly arena: ArenaBuffers
  readonly tuning: Tuning
  readonly hangs: HangSearch
  /** Whether one state of each orbit is stored, and which sets are not to be renamed. */
  readonly symmetry: Reductions['symmetry']
  /** One byte a site of the code, set when it was reached. */
  readonly coverage: SharedArrayBuffer
  /** Two Int32 a property: evaluated, met. */
  readonly propertyCounts: SharedArrayBuffer
  /** Fields and initial values of the machine, as every thread has to build it. */
  readonly machine: string
}

/** One thread's means to execute, check and store states. */
export class Engine {
  readonly system: System
  readonly locals: LocalStates
  readonly footprints: Footprints
  readonly accesses: Accesses
  readonly executor: Executor
  readonly table: StepTable
  readonly store: StateStore
  readonly view: StoredStateView
  readonly reader: StateReader
  readonly propertyCounts: PropertyCounts
  readonly successors: Successors
  /** Renames interchangeable members; null without any. */
  readonly symmetry: Symmetry | null
  /** Sets that are not interchangeable, though they look like it. */
  readonly unused: readonly UnusedSet[]
  /** Finds states out of which one actor's steps are enough; null without partial-order reduction. */
  readonly persistentSets: PersistentSets | null
  readonly expansion: Expansion
  readonly profile = new Profile()
  readonly stateWords = new StateWords()
  readonly #guard: SymmetryGuard | null

  constructor(system: System, recipe: EngineRecipe, checks: readonly Check[]) {
    const { layout, machine, actors, runtime } = system
    const active = checks.filter(({ name }) => recipe.checks.includes(name))
    this.system = system
    this.locals = new LocalStates(layout, recipe.locals, recipe.tuning.firstWidth, recipe.tuning.mostSpare)
    this.footprints = new Footprints(recipe.footprints)
    this.executor = new Executor(system, recipe.granularity)
    this.accesses = new Accesses(recipe.accesses, machine.memory.fields.length + 1)
    const { executor, locals, footprints, accesses } = this
    const { sets, unused } = recipe.symmetry
      ? interchangeableSets(system, recipe.symmetry.without)
      : { sets: [], unused: [] }
    this.unused = unused
    this.symmetry = sets.length === 0 ? null : new Symmetry(new Names(sets, system), system, locals)
    const guard = this.symmetry && new SymmetryGuard(system, this.symmetry, executor)
    this.#guard = guard
    // what is evaluated where some actors still move must not be passed by
    const isSeen = (form: PropertyForm): boolean =>
      form === 'always' || (form === 'at-rest' && !actors.every((actor) => actor.mustFinish))
    const sees = (property: Property, read: ReadonlyMap<number, number>): void => {
      const hidden =
        property.form === 'at-rest' ? undefined : [...read.keys()].find((id) => system.lockFields.hidden.has(id))
      if (hidden !== undefined)
        throw new Refusal(`property "${property.name}": ${hiddenLock(machine.memory.fields[hidden] as Field)}`, null)
      if (this.persistentSets && isSeen(property.form)) for (const field of read.keys()) this.persistentSets.see(field)
    }
    this.table = new StepTable({
      system,
      arena: recipe.arena,
      executor,
      locals,
      footprints,
      accesses,
      layout,
      actors,
      localStates: recipe.tuning.localCapacity.states,
      patience: recipe.tuning.patience,
      guard,
    })
    this.store = new StateStore()
    this.reader = new StateReader(machine.memory, layout)
    this.propertyCounts = new PropertyCounts(new Int32Array(recipe.propertyCounts), machine.properties)
    this.executor.seeks = (fault) => active.some((check) => Boolean(check.fault?.(fault)))
    this.executor.evaluated = (property, holds) => this.propertyCounts.add(property, holds)
    const balance = new Balance(system)
    const races = new RaceDetector(this.table, footprints, actors, Math.ceil(layout.bits / 32) + actors.length)
    this.view = new StoredStateView({
      system,
      reader: this.reader,
      executor,
      locals,
      table: this.table,
      races,
      propertyCounts: this.propertyCounts,
      guard,
      balance,
      sees,
    })
    this.successors = new Successors(this.table, this.store, locals, actors, this.symmetry)
    this.persistentSets = recipe.knownFacts && this.#persistentSets(new StepFacts(recipe.knownFacts))
    const properties = new PropertyTable(
      recipe.arena,
      extraRoot(actors.length, recipe.tuning.localCapacity.states),
      machine.properties.length,
      { reader: this.reader, layout, guard, sees },
    )
    this.successors.bound = this.#boundBy(properties)
    this.expansion = new Expansion({
      system,
      table: this.table,
      properties,
      store: this.store,
      locals,
      successors: this.successors,
      races,
      view: this.view,
      propertyCounts: this.propertyCounts,
      balance,
      checks: active,
      profile: this.profile,
      stateWords: this.stateWords,
      persistentSets: this.persistentSets,
      sleep: hasSleepSets(recipe)
        ? new SleepSets({
            actors,
            table: this.table,
            store: this.store,
            successors: this.successors,
            stateWords: this.stateWords,
            accesses,
            names: this.symmetry?.names ?? null,
          })
        : null,
      progress:
        recipe.hangs === 'off'
          ? null
          : new ActorProgress(system, this.successors, this.view, recipe.hangs === 'settled'),
    })
    runtime.coverage = new Uint8Array(recipe.coverage)
  }

  /** Looks at states where and as they are now; call whenever the coordinator may have made room. */
  attach(stateMemory: StateMemory): void {
    this.store.attach(stateMemory)
    this.stateWords.attach(stateMemory.stateWords, stateMemory.segmentBits)
    this.locals.setWidths(stateMemory.widths)
    this.table.place()
  }

  /** Tells which states lie beyond what the model says is to be explored; null: it says nothing of that. */
  #boundBy(properties: PropertyTable): Successors['bound'] {
    const bounds = this.system.machine.properties
      .map((property, index) => ({ property, index }))
      .filter(({ property }) => property.form === 'within')
    if (bounds.length === 0) return null
    const evaluate =
      (property: Property) =>
      (words: Int32Array): boolean => {
        const holds = this.view.evaluateIn(words, property)
        if (typeof holds === 'boolean') return holds
        throw new Refusal(`m.within "${property.name}" is neither true nor false: ${holds}`, null)
      }
    return (state) =>
      bounds.some(({ property, index }) => !properties.holds(index, state, property, evaluate(property)))
  }

  #persistentSets(knownFacts: StepFacts): PersistentSets {
    const { system, table, locals, accesses, reader } = this
    const blockingGuards = new BlockingGuards(system, new LocalCodec(system.runtime, system.objects), locals, reader)
    const futures = new Futures(system.actors.length, knownFacts, accesses, this.symmetry, blockingGuards)
    return new PersistentSets({ actors: system.actors, table, locals, accesses, knownFacts, futures, blockingGuards })
  }

  /** Names of interchangeable sets of which not every renaming is tried. */
  get sampled(): readonly string[] {
    return this.#guard?.sampled ?? []
  }

  /** Bytes that all threads' tables have in use, states apart. */
  get bytes(): number {
    return (
      this.locals.bytes +
      this.footprints.bytes +
      this.accesses.bytes +
      this.table.bytes +
      (this.persistentSets?.bytes ?? 0)
    )
  }

  /** Interns the local states that actors start in: before its first shared access each. */
  initialLocals(): number[] {
    return this.system.actors.map((actor) => this.locals.intern(actor.id, this.executor.initialLocal(actor)))
  }

  /** The initial state, as states are packed now: initial values, and every actor before its first shared access. */
  initialState(): Int32Array {
    const words = initialWords(this.system, this.locals.packing.words)
    this.initialLocals().forEach((id, actor) => this.locals.set(words, actor, id))
    this.#guard?.checkInitial(words)
    if (this.successors.isBeyond(words))
      throw new Refusal('m.within does not hold in the initial state: nothing would be explored', null)
    return words
  }
}

/** The recipe for a search of a system. */
export function engineRecipe(
  system: System,
  params: Readonly<Record<string, unknown>>,
  granularity: Granularity,
  checks: readonly string[],
  hangs: HangSearch,
  reductions: Reductions = NO_REDUCTION,
  tuning: Tuning = TUNING,
): EngineRecipe {
  const { actors, machine, runtime, loaded } = system
  const { localCapacity } = tuning
  return {
    bundle: loaded.bundle,
    params,
    granularity,
    checks,
    locals: localBuffers(actors.length, localCapacity),
    footprints: footprintBuffers(localCapacity),
    accesses: accessBuffers(localCapacity),
    // one actor's steps alone may all lead beyond what is to be explored
    knownFacts: reductions.partialOrder && !hasBounds(machine) ? stepFactBuffers(localCapacity) : null,
    arena: stepArena(actors.length, localCapacity.states, machine.properties.length),
    // a step that sleeps counts on states that may lie beyond what is to be explored
    tuning: hasBounds(machine) ? { ...tuning, sleepSets: false } : tuning,
    hangs,
    symmetry: reductions.symmetry,
    coverage: new SharedArrayBuffer(Math.max(1, runtime.sites.length)),
    propertyCounts: new SharedArrayBuffer(Math.max(1, machine.properties.length) * 8),
    machine: describeMachine(machine),
  }
}

/** Whether a model says how far it is to be explored. */
export function hasBounds({ properties }: Pick<System['machine'], 'properties'>): boolean {
  return properties.some(({ form }) => form === 'within')
}

/** Whether a search has sleep sets; partial-order reduction leaves out more than they can account for. */
export function hasSleepSets({ tuning, knownFacts }: EngineRecipe): boolean {
  return tuning.sleepSets && knownFacts === null
}

/** Builds an engine from nothing but its recipe, as another thread does. */
export function engineFrom(recipe: EngineRecipe, checks: readonly Check[]): Engine {
  const system = buildSystem(load(recipe.bundle), recipe.params)
  if (describeMachine(system.machine) !== recipe.machine) throw unsteady(recipe.bundle.file)
  return new Engine(system, recipe, checks)
}
