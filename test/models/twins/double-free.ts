// Double free: `use-after-free` in the broken variant, nothing in the fixed one.
import { choice, model, pause, struct, u4 } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'Double free',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'use-after-free' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const pool = m.pool(Cell, 1, 'pool')
    if (variant === 'broken') {
      m.thread(function* user() {
        yield* pause()
        const a = pool.allocate({})
        if (a) {
          pool.free(a)
          pool.free(a)
        }
      })
    } else {
      m.thread(function* user() {
        yield* pause()
        const a = pool.allocate({})
        if (a) pool.free(a)
      })
    }
  },
})
