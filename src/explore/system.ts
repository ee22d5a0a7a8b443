import { type ObjectTable, freezeReachable } from '../compile/freeze.ts'
import { type LoadedModel, setupRefusal } from '../compile/load.ts'
import { Refusal, type SourcePlace } from '../compile/refusal.ts'
import type { Runtime } from '../compile/runtime.ts'
import type { Actor } from '../model/actor.ts'
import { Machine } from '../model/machine.ts'
import { type Layout, layoutOf, writeCell } from './layout.ts'
import { type Namings, namingsOf } from './namings.ts'

/** A machine built from a model's parameters, ready to be explored. */
export interface System {
  readonly machine: Machine
  readonly actors: readonly Actor[]
  readonly objects: ObjectTable
  readonly runtime: Runtime
  readonly layout: Layout
  /** What fields' values name. */
  readonly namings: Namings
  /** CPUs that steps told apart from others by their index, and where. */
  readonly distinguished: Map<object, SourcePlace | null>
  readonly loaded: LoadedModel
}

/** Most actors a machine may have: sets of them are 32-bit masks. */
export const MAX_ACTORS = 30

/**
 * Builds a machine: runs `machine()`, then freezes and lays out what it made.
 * @throws Refusal when `machine()` throws, has no actors or too many
 */
export function buildSystem(loaded: LoadedModel, params: Readonly<Record<string, unknown>>): System {
  const { model, runtime, sourceMap, bundle } = loaded
  runtime.claim()
  const machine = new Machine()
  const twin = new Machine()
  try {
    model.build(twin, params)
    model.build(machine, params)
    machine.complete()
    if (describeMachine(twin) !== describeMachine(machine)) throw unsteady(bundle.file)
    const { actors, memory } = machine
    if (actors.length === 0) throw new Refusal('machine() makes no actors: use m.cpus or m.thread', null)
    if (actors.length > MAX_ACTORS) throw new Refusal(`machine() makes ${actors.length} actors; at most ${MAX_ACTORS} are supported`, null)
    const objects = freezeReachable(machine, runtime)
    return { machine, actors, objects, runtime, layout: layoutOf(memory, actors.length), namings: namingsOf(memory), distinguished: new Map(), loaded }
  } catch (error) {
    throw setupRefusal(error, sourceMap, bundle.file)
  }
}

/** Fields, initial values and actors of a machine, as it must come out each time it is built. */
export function describeMachine({ memory, actors }: Machine): string {
  return JSON.stringify([memory.fields.map(({ name, id }) => [name, memory.initial[id]]), actors.map(({ name }) => name)])
}

/** The refusal of a model whose machine is not the same each time it is built. */
export function unsteady(file: string): Refusal {
  return new Refusal('machine() builds another machine each time it runs: it must not depend on the time, random numbers or other outside state', { file, line: 1, column: 1 })
}

/** The initial state with the given number of words, local states left 0. */
export function initialWords({ machine, layout }: System, words: number): Int32Array {
  const state = new Int32Array(words)
  machine.memory.initial.forEach((raw, id) => writeCell(state, layout.cells[id] as never, raw))
  return state
}
