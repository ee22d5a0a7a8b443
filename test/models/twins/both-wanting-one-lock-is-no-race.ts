// Both wanting one lock is no race: `data-race` in the broken variant, nothing in the fixed one.
import { choice, model, struct, u4 } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'Both wanting one lock is no race',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'data-race' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    const lock = new Mutex(m, 'lock')
    if (variant === 'broken') {
      m.thread(function* a() {
        yield* lock.acquire()
        x.v = 1
        yield* lock.release()
      })
      m.thread(function* b() {
        x.v = 2
      })
    } else {
      const put = function* () {
        yield* lock.acquire()
        x.v = 1
        yield* lock.release()
      }
      m.thread(put)
      m.thread(put)
    }
  },
})
