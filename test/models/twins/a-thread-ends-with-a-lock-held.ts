// A thread ends with a lock held: `imbalance` in the broken variant, nothing in the fixed one.
import { choice, model } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'

export default model({
  title: 'A thread ends with a lock held',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'imbalance' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const lock = new Mutex(m, 'lock')
    const other = new Mutex(m, 'other')
    if (variant === 'broken') {
      m.thread(function* a() {
        yield* lock.acquire()
        if (m.choose(2) === 1) return
        yield* lock.release()
      })
    } else {
      m.thread(function* a() {
        yield* lock.acquire()
        yield* lock.release()
      })
      m.thread(
        function* b() {
          yield* other.acquire()
        },
        { hands: [other] },
      )
    }
  },
})
