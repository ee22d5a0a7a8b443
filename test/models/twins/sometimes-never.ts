// Sometimes never: `unreached` in the broken variant, nothing in the fixed one.
import { choice, model, struct, u4 } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'Sometimes never',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'unreached' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    m.sometimes('x is three', () => x.v === 3)
    if (variant === 'broken') {
      m.thread(function* a() {
        x.v = 2
      })
    } else {
      m.thread(function* a() {
        x.v = 3
      })
    }
  },
})
