// Range: `range` in the broken variant, nothing in the fixed one.
import { choice, model, pause, struct, u4 } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'Range',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'range' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    if (variant === 'broken') {
      m.thread(function* a() {
        yield* pause()
        x.v = 16
      })
    } else {
      m.thread(function* a() {
        yield* pause()
        x.v = 15
      })
    }
  },
})
