import { Interner, type InternerBuffers, internerBuffers } from '../state/interner.ts'
import type { LocalCapacity } from '../state/local-states.ts'

/** A step or blocked attempt that was seen, by what it says about its actor's future. */
export interface StepFact {
  readonly actor: number
  /** Number of the local state it begins in. */
  readonly local: number
  /** Number of what it touches. */
  readonly access: number
  /** Number of the local state it leads to; -1: none, it is blocked or ends in a fault. */
  readonly next: number
  /** Whether it is blocked, and its operation can say who alone could let it continue. */
  readonly isHeld: boolean
}

/** A property that is evaluated in every state reads a field. */
export interface FieldRead {
  readonly field: number
}

const SIGHT = -1

/** Shared memory of what a search learns, for as many local states as there is room for. */
export function stepFactBuffers({ states, words }: LocalCapacity): InternerBuffers {
  return internerBuffers(Math.min(states, 1 << 20), Math.min(words, 1 << 23))
}

/** All that the threads of a search have learnt about what actors may do, each thing once, numbered in order of discovery. */
export class StepFacts {
  readonly #known: Interner

  constructor(buffers: InternerBuffers) {
    this.#known = new Interner(buffers)
  }

  /** How many things were learnt. */
  get size(): number {
    return this.#known.size
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#known.bytes
  }

  add({ actor, local, access, next, isHeld }: StepFact): void {
    this.#known.intern([actor, local, access, next, isHeld ? 1 : 0])
  }

  addSight(field: number): void {
    this.#known.intern([SIGHT, field])
  }

  /** The thing that has a number. */
  get(number: number): StepFact | FieldRead {
    const blob = this.#known.blob(number)
    if (blob[0] === SIGHT) return { field: blob[1] as number }
    const [actor, local, access, next, held] = blob as unknown as [number, number, number, number, number]
    return { actor, local, access, next, isHeld: held === 1 }
  }
}
