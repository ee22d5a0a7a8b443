import { type Cell, type Layout, type Packing, packingOf, readCell, writeCell } from './layout.ts'
import type { Room } from './room.ts'
import { type Range, StateStore } from './state-store.ts'

/** Moves states into a room where local states have other widths; their numbers stay. */
export class Repacking {
  readonly #layout: Layout
  readonly #from: Packing
  readonly #to: Packing
  readonly #source = new StateStore()
  readonly #target = new StateStore()

  constructor(layout: Layout, before: Room, after: Room) {
    this.#layout = layout
    this.#from = packingOf(layout, before.widths)
    this.#to = packingOf(layout, after.widths)
    this.#source.attach(before)
    this.#target.attach(after)
  }

  /** Moves some states. */
  move({ from, to }: Range): void {
    for (let index = from; index < to; index++) repack(this.#layout, this.#source.at(index), this.#from, this.#target.at(index), this.#to)
  }
}

/** Packs one state anew into zeroed words. */
export function repack({ bits }: Layout, source: Int32Array, from: Packing, target: Int32Array, to: Packing): void {
  const whole = Math.floor(bits / 32)
  for (let word = 0; word < whole; word++) target[word] = source[word] as number
  if (bits % 32 !== 0) target[whole] = (source[whole] as number) & ((1 << (bits % 32)) - 1)
  from.locals.forEach((cell, actor) => writeCell(target, to.locals[actor] as Cell, readCell(source, cell)))
}
