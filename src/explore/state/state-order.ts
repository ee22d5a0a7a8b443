import { type Layout, readCell } from './layout.ts'
import type { LocalStates } from './local-states.ts'

/** The order of states by their contents: fields as declared, then local states; numbers given in passing play no part. */
export function compareStates(layout: Layout, locals: LocalStates, a: Int32Array, b: Int32Array): number {
  for (const cell of layout.cells) {
    const order = readCell(a, cell) - readCell(b, cell)
    if (order !== 0) return order
  }
  for (let actor = 0; actor < layout.actors; actor++) {
    const [one, two] = [locals.id(a, actor), locals.id(b, actor)]
    const order = one === two ? 0 : compareNumbers(locals.blob(actor, one), locals.blob(actor, two))
    if (order !== 0) return order
  }
  return 0
}

/** The order of lists of numbers, as of words in a dictionary. */
export function compareNumbers(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = (a[i] as number) - (b[i] as number)
    if (order !== 0) return order
  }
  return a.length - b.length
}
