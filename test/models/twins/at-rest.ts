// At rest: `at-rest` in the broken variant, nothing in the fixed one.
import { atomically, choice, model, readOnce, struct, u4 } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'At rest',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'at-rest' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    m.atRest('x is two', () => x.v === 2)
    m.cpus(2, () =>
      variant === 'broken'
        ? function* add() {
            const seen = yield* readOnce(() => x.v)
            yield* atomically(() => {
              x.v = seen + 1
            })
          }
        : function* add() {
            yield* atomically(() => {
              x.v += 1
            })
          },
    )
  },
})
