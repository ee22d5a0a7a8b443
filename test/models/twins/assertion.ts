// Assertion: `assertion` in the broken variant, nothing in the fixed one.
import { choice, model, pause, struct, u4 } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'Assertion',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'assertion' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    if (variant === 'broken') {
      m.thread(function* a() {
        yield* pause()
        m.assert(x.v === 1, 'x is one')
      })
    } else {
      m.thread(function* a() {
        yield* pause()
        x.v = 1
        m.assert(x.v === 1, 'x is one')
      })
    }
  },
})
