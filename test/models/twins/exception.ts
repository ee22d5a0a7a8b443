// Exception: `exception` in the broken variant, nothing in the fixed one.
import { choice, model, pause, struct, u4 } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'Exception',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'exception' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const y = m.struct(Cell, 'y')
    if (variant === 'broken') {
      m.thread(function* a() {
        yield* pause()
        throw new Error('panic')
      })
    } else {
      m.thread(function* a() {
        yield* pause()
        try {
          throw new Error('panic')
        } catch {
          y.v = 1
        }
      })
    }
  },
})
