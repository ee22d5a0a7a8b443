import type { Field } from '../../model/field.ts'
import type { Memory } from '../../model/memory.ts'

/** Where one packed value lies in a state; a value that crosses a word's end has its upper bits in `rest`. */
export interface Cell {
  readonly word: number
  readonly shift: number
  /** Mask of the value's part in this word, before shifting; 32 ones for a whole word. */
  readonly mask: number
  readonly rest: Cell | null
}

/** How the shared fields of a machine are packed into 32-bit words; the same throughout a search. */
export interface Layout {
  readonly fields: readonly Field[]
  /** Cell by field id. */
  readonly cells: readonly Cell[]
  /** Bits in use, from the first word on. */
  readonly bits: number
  readonly actors: number
}

/** How whole states are packed at one time of a search: shared fields, then every actor's local state. */
export interface Packing {
  /** Bits of each actor's local state. */
  readonly widths: readonly number[]
  /** Cell of each actor's local state, within one word. */
  readonly locals: readonly Cell[]
  /** 32-bit words of a state. */
  readonly words: number
}

/**
 * Packs a machine's fields in order of declaration, so that what belongs together lies together. Fields cross the
 * ends of words only where that saves words.
 *
 * @param actors how many actors have a local state
 */
export function layoutOf(memory: Memory, actors: number): Layout {
  const widths = memory.fields.map((field) => field.type.bits(memory))
  const whole = place(widths, false)
  const dense = place(widths, true)
  const { cells, bits } = Math.ceil(dense.bits / 32) < Math.ceil(whole.bits / 32) ? dense : whole
  return { fields: memory.fields, cells, bits, actors }
}

function place(widths: readonly number[], mayCross: boolean): { cells: Cell[]; bits: number } {
  let bits = 0
  const cells = widths.map((width) => {
    if (!mayCross && (bits % 32) + width > 32) bits += 32 - (bits % 32)
    const cell = cellAt(bits, width)
    bits += width
    return cell
  })
  return { cells, bits }
}

function cellAt(bit: number, width: number): Cell {
  const shift = bit % 32
  const here = Math.min(width, 32 - shift)
  return {
    word: (bit - shift) / 32,
    shift,
    mask: ones(here),
    rest: here < width ? cellAt(bit + here, width - here) : null,
  }
}

function ones(width: number): number {
  return (2 ** width - 1) | 0
}

/** Packs local states of the given widths (1 to 31 bits) behind the shared fields, the widest first. */
export function packingOf(layout: Layout, widths: readonly number[]): Packing {
  let words = Math.ceil(layout.bits / 32)
  /** First free bit of each word that has one. */
  const open = layout.bits % 32 === 0 ? [] : [layout.bits]
  const locals: Cell[] = []
  const order = widths
    .map((_, actor) => actor)
    .toSorted((a, b) => (widths[b] as number) - (widths[a] as number) || a - b)
  for (const actor of order) {
    const width = widths[actor] as number
    let at = open.findIndex((bit) => 32 - (bit % 32) >= width)
    if (at < 0) at = open.push(words++ * 32) - 1
    const bit = open[at] as number
    locals[actor] = cellAt(bit, width)
    if ((bit + width) % 32 === 0) open.splice(at, 1)
    else open[at] = bit + width
  }
  return { widths, locals, words: Math.max(1, words) }
}

/** The raw value of a cell. */
export function readCell(words: Int32Array, cell: Cell): number {
  const here = (((words[cell.word] as number) >>> cell.shift) & cell.mask) >>> 0
  return cell.rest === null ? here : (here | (readCell(words, cell.rest) << (32 - cell.shift))) >>> 0
}

/** Sets the raw value of a cell. */
export function writeCell(words: Int32Array, cell: Cell, raw: number): void {
  words[cell.word] = ((words[cell.word] as number) & ~(cell.mask << cell.shift)) | ((raw & cell.mask) << cell.shift)
  if (cell.rest !== null) writeCell(words, cell.rest, raw >>> (32 - cell.shift))
}
