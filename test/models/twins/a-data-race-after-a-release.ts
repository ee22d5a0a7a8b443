// A data race after a release: `data-race` in the broken variant, nothing in the fixed one.
import { choice, model, struct, u4 } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'A data race after a release',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'data-race' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    const y = m.struct(Cell, 'y')
    const lock = new Mutex(m, 'lock')
    if (variant === 'broken') {
      m.thread(function* a() {
        yield* lock.acquire()
        yield* lock.release()
        x.v = 1
      })
    } else {
      m.thread(function* a() {
        yield* lock.acquire()
        x.v = 1
        yield* lock.release()
      })
    }
    m.thread(function* b() {
      yield* lock.acquire()
      y.v = x.v
      yield* lock.release()
    })
  },
})
