import { type Cell, type Layout, type Packing, packingOf } from '../state/layout.ts'
import type { StateMemory } from './allocation.ts'
import { StateStore } from './state-store.ts'
import { type Range } from './store-buffers.ts'

/** Moves states into memory where local states have other widths; their numbers stay. */
export class Repacking {
  readonly #plan: Int32Array
  readonly #shared: number
  readonly #source = new StateStore()
  readonly #target = new StateStore()
  readonly #before: Int32Array
  readonly #after: Int32Array

  constructor(layout: Layout, before: StateMemory, after: StateMemory) {
    const from = packingOf(layout, before.widths)
    const to = packingOf(layout, after.widths)
    this.#plan = planOf(from, to)
    this.#shared = layout.bits
    this.#source.attach(before)
    this.#target.attach(after)
    this.#before = new Int32Array(from.words)
    this.#after = new Int32Array(to.words)
  }

  /** Moves some states. */
  move({ from, to }: Range): void {
    for (let index = from; index < to; index++) {
      this.#source.load(index, this.#before, 0)
      repackWords(this.#shared, this.#plan, this.#before, this.#after)
      this.#target.save(index, this.#after)
    }
  }
}

/** Packs one state again. */
export function repack({ bits }: Layout, source: Int32Array, from: Packing, target: Int32Array, to: Packing): void {
  repackWords(bits, planOf(from, to), source, target)
}

/** Five numbers an actor: word and shift of its local state before, mask, and word and shift after. */
function planOf(from: Packing, to: Packing): Int32Array {
  return Int32Array.from(
    from.locals.flatMap(({ word, shift, mask }, actor) => {
      const after = to.locals[actor] as Cell
      return [word, shift, mask, after.word, after.shift]
    }),
  )
}

/** Shared fields lie in the first bits and stay as they are. */
function repackWords(shared: number, plan: Int32Array, source: Int32Array, target: Int32Array): void {
  const whole = Math.floor(shared / 32)
  target.fill(0)
  for (let word = 0; word < whole; word++) target[word] = source[word] as number
  if (shared % 32 !== 0) target[whole] = (source[whole] as number) & ((1 << (shared % 32)) - 1)
  for (let at = 0; at < plan.length; at += 5) {
    const value = ((source[plan[at] as number] as number) >>> (plan[at + 1] as number)) & (plan[at + 2] as number)
    target[plan[at + 3] as number] = (target[plan[at + 3] as number] as number) | (value << (plan[at + 4] as number))
  }
}
