// Invariant in the initial state: `invariant` in the broken variant, nothing in the fixed one.
import { choice, model, struct, u4 } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'Invariant in the initial state',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'invariant' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    const lock = new Mutex(m, 'lock')
    if (variant === 'fixed') {
      x.v = 1
    }
    m.invariant('x is one', () => x.v === 1, { whenFree: lock })
    m.thread(function* a() {
      yield* lock.acquire()
      yield* lock.release()
    })
  },
})
