import type { Field } from '../model/field.ts'
import type { Memory } from '../model/memory.ts'

/** Where one packed value lies in a state. */
export interface Cell {
  readonly word: number
  readonly shift: number
  /** Mask of the value before shifting; 32 ones for a whole word. */
  readonly mask: number
}

/** How a state is packed into 32-bit words: shared fields first, then one local state a word and actor. */
export interface Layout {
  readonly fields: readonly Field[]
  /** Cell by field id. */
  readonly cells: readonly Cell[]
  readonly sharedWords: number
  readonly actors: number
  /** Words of a state. */
  readonly words: number
}

/**
 * Packs a machine's fields into as few words as first fit in order of width gives; no field crosses a word.
 *
 * @param actors how many actors have a local state
 */
export function layoutOf(memory: Memory, actors: number): Layout {
  const widths = memory.fields.map((field) => field.type.bits(memory))
  const cells: Cell[] = []
  const free: number[] = []
  const order = widths.map((_, i) => i).toSorted((a, b) => (widths[b] as number) - (widths[a] as number) || a - b)
  for (const id of order) {
    const width = widths[id] as number
    let word = free.findIndex((bits) => bits >= width)
    if (word < 0) word = free.push(32) - 1
    cells[id] = { word, shift: 32 - (free[word] as number), mask: width === 32 ? -1 : (1 << width) - 1 }
    free[word] = (free[word] as number) - width
  }
  return { fields: memory.fields, cells, sharedWords: free.length, actors, words: free.length + actors }
}

/** The raw value of a cell. */
export function readCell(words: Int32Array, cell: Cell): number {
  return (((words[cell.word] as number) >>> cell.shift) & cell.mask) >>> 0
}

/** Sets the raw value of a cell. */
export function writeCell(words: Int32Array, cell: Cell, raw: number): void {
  words[cell.word] = ((words[cell.word] as number) & ~(cell.mask << cell.shift)) | ((raw & cell.mask) << cell.shift)
}

/** Whether an actor has finished in a state: the first local state of every search is that one. */
export function hasFinished(layout: Layout, words: Int32Array, actor: number): boolean {
  return words[localWord(layout, actor)] === 0
}

/** Index of the word that holds an actor's local state. */
export function localWord(layout: Layout, actor: number): number {
  return layout.sharedWords + actor
}
