import type { Bundle } from '../compile/bundle.ts'
import { load } from '../compile/load.ts'
import type { Check } from '../model/check.ts'
import { FINISHED } from './encoding.ts'
import { Executor, type Granularity } from './executor.ts'
import { Expansion } from './expansion.ts'
import { Interner, type InternerBuffers, internerBuffers } from './interner.ts'
import { localWord } from './layout.ts'
import { RaceDetector } from './race.ts'
import { StateReader } from './state-reader.ts'
import { StateStore } from './state-store.ts'
import { PropertyTally, StoredStateView } from './state-view.ts'
import { StepTable } from './step-table.ts'
import { type System, buildSystem, initialWords } from './system.ts'

/** What every thread of one search is made from: a recipe, not values. */
export interface EngineRecipe {
  readonly bundle: Bundle
  readonly params: Readonly<Record<string, unknown>>
  readonly granularity: Granularity
  /** Names of the checks that are on. */
  readonly checks: readonly string[]
  readonly interner: InternerBuffers
  /** One byte a site of the code, set when it was reached. */
  readonly coverage: SharedArrayBuffer
  /** Two Int32 a property: evaluations, met. */
  readonly tally: SharedArrayBuffer
}

/** One thread's means to execute, check and store states. */
export class Engine {
  readonly system: System
  readonly interner: Interner
  readonly executor: Executor
  readonly table: StepTable
  readonly store: StateStore
  readonly view: StoredStateView
  readonly reader: StateReader
  readonly tally: PropertyTally
  readonly expansion: Expansion

  constructor(system: System, recipe: EngineRecipe, checks: readonly Check[]) {
    const { layout, machine, actors, runtime } = system
    this.system = system
    this.interner = new Interner(recipe.interner)
    this.interner.intern(FINISHED) // the first blob: local state 0 means finished in every thread
    this.executor = new Executor(system, recipe.granularity)
    this.table = new StepTable(this.executor, this.interner, layout)
    this.store = new StateStore(layout.words)
    this.reader = new StateReader(machine.memory, layout)
    this.tally = new PropertyTally(new Int32Array(recipe.tally), machine.properties)
    this.executor.evaluated = (property, holds) => this.tally.add(property, holds)
    const races = new RaceDetector(this.table, actors, layout.words)
    this.view = new StoredStateView({ system, reader: this.reader, executor: this.executor, interner: this.interner, races, tally: this.tally })
    this.expansion = new Expansion(system, this.table, this.store, this.interner, this.view, checks.filter(({ name }) => recipe.checks.includes(name)))
    runtime.coverage = new Uint8Array(recipe.coverage)
  }

  /** The initial state: initial values, and every actor before its first shared access. */
  initialState(): Int32Array {
    const { system } = this
    const words = initialWords(system)
    for (const actor of system.actors) words[localWord(system.layout, actor.id)] = this.interner.intern(this.executor.initialLocal(actor))
    return words
  }
}

/** Local states and words of them that one search has room for (reserved, not committed). */
const INTERNER_CAPACITY = 1 << 22
const INTERNER_WORDS = 1 << 28

/** The recipe for a search of a system. */
export function engineRecipe(system: System, params: Readonly<Record<string, unknown>>, granularity: Granularity, checks: readonly string[]): EngineRecipe {
  return {
    bundle: system.loaded.bundle,
    params,
    granularity,
    checks,
    interner: internerBuffers(INTERNER_CAPACITY, INTERNER_WORDS),
    coverage: new SharedArrayBuffer(Math.max(1, system.runtime.sites.length)),
    tally: new SharedArrayBuffer(Math.max(1, system.machine.properties.length) * 8),
  }
}

/** Builds an engine from nothing but its recipe, as another thread does. */
export function engineFrom(recipe: EngineRecipe, checks: readonly Check[]): Engine {
  return new Engine(buildSystem(load(recipe.bundle), recipe.params), recipe, checks)
}
