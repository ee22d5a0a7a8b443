import { buildMachine } from '../../runtime/build.ts'
import { type ObjectTable, freezeReachable } from '../../runtime/freeze.ts'
import { type LoadedModel, setupRefusal } from '../../runtime/load.ts'
import type { SourcePlace } from '../../source/refusal.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { Actor } from '../../model/actor.ts'
import type { MachineParts } from '../../model/machine-parts.ts'
import { lockFields } from '../../model/observed.ts'
import { type Layout, layoutOf, writeCell } from './layout.ts'
import { type Namings, namingsOf } from './references.ts'

/** A machine built from a model's parameters, ready to be explored. */
export interface System {
  readonly machine: MachineParts
  readonly actors: readonly Actor[]
  readonly objects: ObjectTable
  readonly runtime: Runtime
  readonly layout: Layout
  /** What fields' values name. */
  readonly namings: Namings
  /** CPUs that steps told apart from others by their index, and where. */
  readonly distinguished: Map<object, SourcePlace | null>
  /** Insides of locks that properties look at, and of the others: field ids. */
  readonly lockFields: { readonly observed: ReadonlySet<number>; readonly hidden: ReadonlySet<number> }
  readonly loaded: LoadedModel
}

/**
 * Builds a machine, then freezes and lays out what it made.
 * @throws Refusal as {@link buildMachine}, and for what cannot be frozen
 */
export function buildSystem(loaded: LoadedModel, params: Readonly<Record<string, unknown>>): System {
  const { runtime, sourceMap, bundle } = loaded
  runtime.claim()
  const machine = buildMachine(loaded, params)
  const { actors, memory } = machine
  try {
    return {
      machine,
      actors,
      objects: freezeReachable(machine, runtime),
      runtime,
      layout: layoutOf(memory, actors.length),
      namings: namingsOf(memory),
      distinguished: new Map(),
      lockFields: lockFieldsOf(machine),
      loaded,
    }
  } catch (error) {
    throw setupRefusal(error, sourceMap, bundle.file)
  }
}

function lockFieldsOf(machine: MachineParts): System['lockFields'] {
  const of = (isObserved: boolean): ReadonlySet<number> =>
    new Set(
      [...lockFields(machine)].flatMap(([{ id }, name]) => (machine.observed.has(name) === isObserved ? [id] : [])),
    )
  return { observed: of(true), hidden: of(false) }
}

/** The initial state with the given number of words, local states left 0. */
export function initialWords({ machine, layout }: System, words: number): Int32Array {
  const state = new Int32Array(words)
  machine.memory.initial.forEach((raw, id) => writeCell(state, layout.cells[id] as never, raw))
  return state
}
