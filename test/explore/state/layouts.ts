import { type Layout, layoutOf } from '../../../src/explore/state/layout.ts'
import { u } from '../../../src/model/field.ts'
import { Memory } from '../../../src/model/memory.ts'

/** A layout of fields of the given widths. */
export function layoutFor(widths: readonly number[], actors: number): Layout {
  const memory = new Memory()
  widths.forEach((width, i) => memory.field(`f${i}`, u(width) as never, 'plain', null))
  return layoutOf(memory, actors)
}
