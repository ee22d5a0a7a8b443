import { FINISHED } from './local-form.ts'
import { Interner, type InternerBuffers, internerBuffers } from './interner.ts'
import { type Cell, type Layout, type Packing, packingOf, readCell, writeCell } from './layout.ts'

/** Room for the local states of each actor: how many, and 32-bit words of all together. Reserved; committed as it is used. */
export interface LocalCapacity {
  readonly states: number
  readonly words: number
}

/** Bits of the most local states that an actor may have. */
const WIDEST = 20

/** Thrown when a local state's number does not fit into its bits: the level continues once all states were packed again. */
export class PackingFullError extends Error {
  override readonly name = 'PackingFullError'
}

/** The shared buffers of every actor's local states. */
export function localBuffers(actors: number, stateMemory: LocalCapacity): InternerBuffers[] {
  return Array.from({ length: actors }, () => internerBuffers(stateMemory.states, stateMemory.words))
}

/**
 * The local states met so far, numbered for each actor by itself, and where their numbers lie in a state. Number 0 is
 * that of a finished actor; the others follow the order of discovery, and so differ between runs.
 */
export class LocalStates {
  readonly #layout: Layout
  readonly #known: readonly Interner[]
  readonly #mostSpare: number
  #packing: Packing

  /**
   * @param firstWidth bits of every local state's number until more are needed
   * @param mostSpare bits by which numbers are widened at most, beyond what is needed, where that costs no words
   */
  constructor(layout: Layout, buffers: readonly InternerBuffers[], firstWidth: number, mostSpare: number) {
    this.#layout = layout
    this.#mostSpare = mostSpare
    this.#known = buffers.map((buffer) => new Interner(buffer))
    for (const known of this.#known) known.intern(FINISHED)
    this.#packing = packingOf(
      layout,
      Array.from({ length: layout.actors }, () => firstWidth),
    )
  }

  /** How states are packed now. */
  get packing(): Packing {
    return this.#packing
  }

  /** Packs with these widths from now on. */
  setWidths(widths: readonly number[]): void {
    if (widths.every((width, actor) => width === this.#packing.widths[actor])) return
    this.#packing = packingOf(this.#layout, widths)
  }

  /**
   * Widths into which every number given so far fits, with room for as many again where one does not fit now, and for all
   * actors as much more as costs no words; the widths of now if all fit.
   */
  fittingWidths(): readonly number[] {
    const { widths } = this.#packing
    const needed = this.#known.map(({ size }) => 32 - Math.clz32(size - 1))
    if (needed.every((bits, actor) => bits <= (widths[actor] as number))) return widths
    let fitting = widths.map((width, actor) =>
      (needed[actor] as number) > width ? (needed[actor] as number) + 1 : width,
    )
    const { words } = packingOf(this.#layout, fitting)
    for (let spare = 0; spare < this.#mostSpare; spare++) {
      const wider = fitting.map((width) => Math.min(WIDEST, width + 1))
      if (packingOf(this.#layout, wider).words > words) break
      fitting = wider
    }
    return fitting
  }

  /** Number of an actor's local state. */
  id(words: Int32Array, actor: number): number {
    return readCell(words, this.#packing.locals[actor] as Cell)
  }

  /** Encoding of an actor's local state. */
  code(words: Int32Array, actor: number): Int32Array {
    return this.blob(actor, this.id(words, actor))
  }

  /** Encoding of the local state that has a number. */
  blob(actor: number, id: number): Int32Array {
    return (this.#known[actor] as Interner).blob(id)
  }

  /** How many local states of an actor are known. */
  size(actor: number): number {
    return (this.#known[actor] as Interner).size
  }

  /** Sets the number of an actor's local state. */
  set(words: Int32Array, actor: number, id: number): void {
    writeCell(words, this.#packing.locals[actor] as Cell, id)
  }

  /**
   * The number of a local state, new or known.
   * @throws InternerFullError
   */
  intern(actor: number, code: ArrayLike<number>): number {
    return (this.#known[actor] as Interner).intern(code)
  }

  /** Whether an actor has finished. */
  hasFinished(words: Int32Array, actor: number): boolean {
    return this.id(words, actor) === 0
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#known.reduce((sum, known) => sum + known.bytes, 0)
  }
}
