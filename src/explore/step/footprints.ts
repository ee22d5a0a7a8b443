import type { PrimitiveClass } from '../../model/operation.ts'
import type { StepRecord } from './step-record.ts'
import type { LocalCapacity } from '../state/local-states.ts'
import { Interner, type InternerBuffers, internerBuffers } from '../state/interner.ts'

/** What a step or blocked attempt accesses, as the race check needs it. */
export interface Footprint {
  readonly first: PrimitiveClass | 'plain'
  /** Race-checked accesses before the first release: field id * 2, + 1 for a write. */
  readonly plain: readonly number[]
  /**
   * Accesses that may be made at any moment: of an operation of class `other`, also while it is blocked, what its guard
   * and effect touch; else the plain ones of a step that can be taken.
   */
  readonly pending: readonly number[]
}

const FIRSTS: readonly Footprint['first'][] = ['plain', 'acquire', 'release', 'other']

/** Shared memory of the footprints of a search, for as many local states as there is room for. */
export function footprintBuffers({ states, words }: LocalCapacity): InternerBuffers {
  return internerBuffers(Math.min(states, 1 << 18), Math.min(words, 1 << 22))
}

/** The different footprints met so far, numbered in order of discovery, and which of them conflict. */
export class Footprints {
  readonly #known: Interner
  readonly #decoded: Footprint[] = []
  /** By number and number: the fields on which plain accesses of the one conflict with pending ones of the other. */
  readonly #conflicts: (readonly number[] | undefined)[][] = []

  constructor(buffers: InternerBuffers) {
    this.#known = new Interner(buffers)
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#known.bytes
  }

  /** The number of a record's footprint. */
  intern({ first, plain, atomic, outcome }: StepRecord): number {
    const before = [...new Set(plain)]
    const pending = first === 'other' ? [...new Set(atomic)] : outcome === 'blocked' ? [] : before
    return this.#known.intern([FIRSTS.indexOf(first), before.length, ...before, ...pending])
  }

  /** The footprint that has a number. */
  get(id: number): Footprint {
    return (this.#decoded[id] ??= decode(this.#known.blob(id)))
  }

  /** Fields on which plain accesses of `mine` conflict with pending accesses of `theirs` (numbers of footprints). */
  conflicts(mine: number, theirs: number): readonly number[] {
    const row = (this.#conflicts[mine] ??= [])
    return (row[theirs] ??= conflictsBetween(this.get(mine), this.get(theirs)))
  }
}

function decode(blob: Int32Array): Footprint {
  const end = 2 + (blob[1] as number)
  return {
    first: FIRSTS[blob[0] as number] as Footprint['first'],
    plain: [...blob.subarray(2, end)],
    pending: [...blob.subarray(end)],
  }
}

function conflictsBetween({ plain }: Footprint, { pending }: Footprint): number[] {
  const accesses = plain.filter(
    (access) => pending.includes(access | 1) || ((access & 1) === 1 && pending.includes(access - 1)),
  )
  return [...new Set(accesses.map((access) => access >> 1))]
}
