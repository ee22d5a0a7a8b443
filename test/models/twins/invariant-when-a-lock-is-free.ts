// Invariant when a lock is free: `invariant` in the broken variant, nothing in the fixed one.
import { choice, model, struct, u4 } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'Invariant when a lock is free',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'invariant' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    const y = m.struct(Cell, 'y')
    const lock = new Mutex(m, 'lock')
    m.invariant('x is y', () => x.v === y.v, { whenFree: lock })
    if (variant === 'broken') {
      m.thread(function* a() {
        yield* lock.acquire()
        x.v = 1
        yield* lock.release()
      })
    } else {
      m.thread(function* a() {
        yield* lock.acquire()
        x.v = 1
        y.v = 1
        yield* lock.release()
      })
    }
  },
})
