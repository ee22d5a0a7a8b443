// An allocation that fails unnoticed: `exception` in the broken variant, nothing in the fixed one.
import { choice, model, pause, struct, u4 } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'An allocation that fails unnoticed',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'exception' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const pool = m.pool(Cell, 2, 'pool', { fallible: true })
    m.thread(function* user() {
      yield* pause()
      const a = pool.allocate({})
      if (a || variant === 'broken') a!.v = 1
    })
  },
})
