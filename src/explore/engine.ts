import type { Bundle } from '../compile/bundle.ts'
import { load } from '../compile/load.ts'
import { Refusal } from '../compile/refusal.ts'
import type { Check } from '../model/check.ts'
import { FINISHED } from './encoding.ts'
import { Executor } from './executor.ts'
import { Expansion } from './expansion.ts'
import { Interner, type InternerBuffers, internerBuffers } from './interner.ts'
import { localWord } from './layout.ts'
import { RaceDetector } from './race.ts'
import { StateReader } from './state-reader.ts'
import { StateStore } from './state-store.ts'
import { PropertyTally, StoredStateView } from './state-view.ts'
import type { Granularity } from './step-memory.ts'
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
  /** Fields and initial values of the machine, as every thread has to build it. */
  readonly machine: string
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
    this.table = new StepTable(this.executor, this.interner, layout, system.actors)
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

/** Room for local states: how many, and 32-bit words of all together. Reserved; committed as it is used. */
export interface LocalRoom {
  readonly states: number
  readonly words: number
}

const ROOM: LocalRoom = { states: 1 << 22, words: 1 << 26 }

/** The recipe for a search of a system. */
export function engineRecipe(system: System, params: Readonly<Record<string, unknown>>, granularity: Granularity, checks: readonly string[], room: LocalRoom = ROOM): EngineRecipe {
  return {
    bundle: system.loaded.bundle,
    params,
    granularity,
    checks,
    interner: internerBuffers(room.states, room.words),
    coverage: new SharedArrayBuffer(Math.max(1, system.runtime.sites.length)),
    tally: new SharedArrayBuffer(Math.max(1, system.machine.properties.length) * 8),
    machine: describeMachine(system),
  }
}

/** Builds an engine from nothing but its recipe, as another thread does. */
export function engineFrom(recipe: EngineRecipe, checks: readonly Check[]): Engine {
  const system = buildSystem(load(recipe.bundle), recipe.params)
  if (describeMachine(system) !== recipe.machine) {
    throw new Refusal('machine() builds another machine each time it runs: it must not depend on the time, random numbers or other outside state', { file: recipe.bundle.file, line: 1, column: 1 })
  }
  return new Engine(system, recipe, checks)
}

function describeMachine({ layout, machine, actors }: System): string {
  const { initial } = machine.memory
  return JSON.stringify([layout.words, layout.fields.map(({ name, id }) => [name, initial[id]]), actors.map(({ name }) => name)])
}
