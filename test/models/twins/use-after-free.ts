// Use after free: `use-after-free` in the broken variant, nothing in the fixed one.
import { atomically, choice, model, pause, readOnce, struct, u4 } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'Use after free',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'use-after-free' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const pool = m.pool(Cell, 1, 'pool')
    const a = pool.allocate({})!
    m.thread(function* user() {
      yield* pause()
      yield* readOnce(() => a.v)
      if (variant === 'fixed') yield* atomically(() => pool.free(a))
    })
    if (variant === 'broken') {
      m.thread(function* freer() {
        yield* atomically(() => pool.free(a))
      })
    }
  },
})
