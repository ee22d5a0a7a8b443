import { Refusal } from '../../source/refusal.ts'
import type { Property } from '../../model/property.ts'
import { Arena, type ArenaBuffers } from './arena.ts'
import type { Cell, Layout } from '../state/layout.ts'
import type { StateReader } from '../state/state-reader.ts'
import { growRead, readSlot } from './step-tree.ts'
import type { FieldRead, SymmetryGuard } from '../symmetry/guard.ts'

/** Leaves of a property's tree. */
const HOLDS = -1
const BROKEN = -2

/** Evaluations recorded of a property before the table may give it up. */
const MAX_RECORDS = 4096
/** The first evaluations are made twice. */
const CHECKED_FIRST = 8

/** What a {@link PropertyTable} works with. */
export interface PropertyTableParts {
  readonly reader: StateReader
  readonly layout: Layout
  /** Checks that properties treat interchangeable members alike; null without any. */
  readonly guard: SymmetryGuard | null
  /** Told which fields a property read. */
  sees(property: Property, read: ReadonlyMap<number, number>): void
}

/** Properties of stored states as decision trees over the fields they read, in the arena of the step table. One a thread. */
export class PropertyTable {
  readonly #arena: Arena
  readonly #reader: StateReader
  readonly #layout: Layout
  readonly #root: number
  readonly #recorded: number[]
  readonly #asked: number[]
  readonly #guard: SymmetryGuard | null
  readonly #sees: PropertyTableParts['sees']

  /** @param root the first of a root slot for each property */
  constructor(
    arena: ArenaBuffers,
    root: number,
    properties: number,
    { reader, layout, guard, sees }: PropertyTableParts,
  ) {
    this.#guard = guard
    this.#sees = sees
    this.#arena = new Arena(arena)
    this.#root = root
    this.#reader = reader
    this.#layout = layout
    this.#recorded = Array.from({ length: properties }, () => 0)
    this.#asked = [...this.#recorded]
  }

  /**
   * Whether a property holds in a state.
   *
   * @param index of the property
   * @param evaluate runs the property's code on a state
   */
  holds(index: number, state: Int32Array, property: Property, evaluate: (state: Int32Array) => boolean): boolean {
    const { words } = this.#arena
    this.#asked[index] = (this.#asked[index] as number) + 1
    let slot = this.#root + index
    let node = words[slot] as number
    while (node > 0) {
      slot = readSlot(words, node, state)
      if (slot === 0) break
      node = words[slot] as number
    }
    if (node < 0) return node === HOLDS
    return this.#isHopeless(index)
      ? this.#passing(state, property, evaluate)
      : this.#record(index, state, property, evaluate)
  }

  /** An evaluation that no one keeps. */
  #passing(state: Int32Array, property: Property, evaluate: (state: Int32Array) => boolean): boolean {
    const { result, read } = this.#observed(state, property, evaluate)
    this.#guarded(state, property, result, read, evaluate)
    return result
  }

  /** Looks whether a property treats interchangeable members alike, and what else that depends on. */
  #guarded(
    state: Int32Array,
    property: Property,
    result: boolean,
    read: ReadonlyMap<number, number>,
    evaluate: (state: Int32Array) => boolean,
  ): readonly FieldRead[] {
    return (
      this.#guard?.checkProperty(property, state, result, read, (words) =>
        this.#reader.observed(() => evaluate(words)),
      ) ?? []
    )
  }

  /** Whether what a property reads differs from state to state, so that hardly a record is met again. */
  #isHopeless(index: number): boolean {
    const recorded = this.#recorded[index] as number
    return recorded > MAX_RECORDS && (this.#asked[index] as number) < 2 * recorded
  }

  #observed(
    state: Int32Array,
    property: Property,
    evaluate: (state: Int32Array) => boolean,
  ): { readonly result: boolean; readonly read: ReadonlyMap<number, number> } {
    const seen = this.#reader.observed(() => evaluate(state))
    this.#sees(property, seen.read)
    return seen
  }

  #record(index: number, state: Int32Array, property: Property, evaluate: (state: Int32Array) => boolean): boolean {
    const { result, read } = this.#observed(state, property, evaluate)
    if ((this.#recorded[index] as number) < CHECKED_FIRST && evaluate(state) !== result) throw unstable(property)
    const further = this.#guarded(state, property, result, read, evaluate)
    let slot = this.#root + index
    for (const [id, raw] of [...read, ...further.map(({ field, raw }) => [field.id, raw] as const)]) {
      let left = raw
      for (let cell: Cell | null = this.#layout.cells[id] as Cell; cell !== null && slot !== 0; cell = cell.rest) {
        slot = growRead(this.#arena, slot, cell, left & cell.mask)
        left >>>= 32 - cell.shift
      }
    }
    const leaf = result ? HOLDS : BROKEN
    if (slot === 0 || this.#arena.publish(slot, leaf) !== leaf) throw unstable(property)
    this.#recorded[index] = (this.#recorded[index] as number) + 1
    return result
  }
}

function unstable({ name }: Property): Refusal {
  return new Refusal(
    `property "${name}" is nondeterministic: evaluating it again gave a different result; properties must not depend on the time, random numbers or other outside state`,
    null,
  )
}
