import type { Dependence } from '../step/step-record.ts'
import type { Cell } from '../state/layout.ts'
import type { Arena } from './arena.ts'
import { DIRECT, growChoice, growRead } from './step-tree.ts'

/** Whether the steps below a slot are executed each time. */
export function isGivenUp(words: Int32Array, slot: number): boolean {
  const node = words[slot] as number
  return node > 0 && words[node] === DIRECT
}

/**
 * The slot in which the leaf of a step belongs, growing the tree as needed: 0 where the steps are executed each time,
 * -1 where the tree branches over something else, so that the step took another course before.
 *
 * @param cells by field id
 */
export function growPath(
  arena: Arena,
  cells: readonly (Cell | undefined)[],
  root: number,
  dependences: readonly Dependence[],
): number {
  let slot = root
  for (const dependence of dependences) {
    if (dependence.on === 'choice') {
      const grown = growChoice(arena, slot, dependence.n, dependence.taken)
      if (grown === 0) return isGivenUp(arena.words, slot) ? 0 : -1
      slot = grown
      continue
    }
    let left = dependence.raw
    for (let cell: Cell | null = cells[dependence.field.id] as Cell; cell !== null; cell = cell.rest) {
      const grown = growRead(arena, slot, cell, left & cell.mask)
      if (grown === 0) return isGivenUp(arena.words, slot) ? 0 : -1
      slot = grown
      left >>>= 32 - cell.shift
    }
  }
  return slot
}
