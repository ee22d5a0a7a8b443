// A wedged pair while a third runs forever: `deadlock` in the broken variant, nothing in the fixed one.
import { choice, model, pause } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'

export default model({
  title: 'A wedged pair while a third runs for ever',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'deadlock' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const lock = new Mutex(m, 'lock')
    const other = new Mutex(m, 'other')
    if (variant === 'broken') {
      m.thread(function* a() {
        yield* lock.acquire()
        yield* other.acquire()
        yield* other.release()
        yield* lock.release()
      })
      m.thread(function* b() {
        yield* other.acquire()
        yield* lock.acquire()
        yield* lock.release()
        yield* other.release()
      })
    } else {
      const run = function* () {
        yield* lock.acquire()
        yield* other.acquire()
        yield* other.release()
        yield* lock.release()
      }
      m.thread(run)
      m.thread(run)
    }
    m.thread(
      function* ticker() {
        for (;;) yield* pause()
      },
      { endless: true },
    )
  },
})
