import test from 'ava'
import fc from 'fast-check'
import { packingOf, readCell, writeCell } from '../../../src/explore/state/layout.ts'
import { repack } from '../../../src/explore/store/repacking.ts'
import { layoutFor } from './layouts.ts'

const widthsOf = fc.array(fc.integer({ min: 1, max: 32 }), { minLength: 1, maxLength: 30 })

test('fields and local states keep their values, wherever they cross words, also when packed again', (t) => {
  fc.assert(
    fc.property(
      widthsOf,
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(fc.integer()),
      (widths, locals, stream) => {
        const layout = layoutFor(widths, locals.length)
        t.is(
          Math.ceil(layout.bits / 32) <= Math.ceil(widths.reduce((a, b) => a + b) / 32),
          true,
          'as few words as there can be',
        )
        const [before, after] = [
          packingOf(layout, locals),
          packingOf(
            layout,
            locals.map((width) => Math.min(20, width + 3)),
          ),
        ]
        const state = new Int32Array(before.words)
        const random = stream[Symbol.iterator]()
        const next = (width: number): number => ((random.next().value as number) >>> 0) % 2 ** width
        const values = widths.map(next)
        const ids = locals.map(next)
        values.forEach((value, i) => writeCell(state, layout.cells[i] as never, value))
        ids.forEach((id, i) => writeCell(state, before.locals[i] as never, id))
        const moved = new Int32Array(after.words)
        repack(layout, state, before, moved, after)
        t.deepEqual(
          values.map((_, i) => readCell(state, layout.cells[i] as never)),
          values,
        )
        t.deepEqual(
          ids.map((_, i) => readCell(state, before.locals[i] as never)),
          ids,
        )
        t.deepEqual(
          values.map((_, i) => readCell(moved, layout.cells[i] as never)),
          values,
        )
        t.deepEqual(
          ids.map((_, i) => readCell(moved, after.locals[i] as never)),
          ids,
        )
        t.true(before.locals.every(({ rest }) => rest === null))
      },
    ),
    { numRuns: 200 },
  )
})

test('fields cross words only where that saves words', (t) => {
  t.true(layoutFor([20, 12, 30, 2], 1).cells.every(({ rest }) => rest === null))
  const crossing = layoutFor([20, 20, 20], 1)
  t.is(Math.ceil(crossing.bits / 32), 2)
  t.true(crossing.cells.some(({ rest }) => rest !== null))
})
