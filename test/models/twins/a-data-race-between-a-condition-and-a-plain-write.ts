// A data race between a condition and a plain write: `data-race` in the broken variant, nothing in the fixed one.
import { atomically, choice, model, struct, u4, when } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'A data race between a condition and a plain write',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'data-race' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    const y = m.struct(Cell, 'y')
    if (variant === 'broken') {
      m.thread(function* a() {
        x.v = 1
        y.v = 1
      })
    } else {
      m.thread(function* a() {
        yield* atomically(() => {
          x.v = 1
          y.v = 1
        })
      })
    }
    m.thread(function* b() {
      yield* when(() => x.v === 1)
    })
  },
})
