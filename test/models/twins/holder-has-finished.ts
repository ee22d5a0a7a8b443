// Holder has finished: `deadlock` in the broken variant, nothing in the fixed one.
import { choice, model } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'

export default model({
  title: 'Holder has finished',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'deadlock' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const lock = new Mutex(m, 'lock')
    if (variant === 'broken') {
      m.thread(function* a() {
        yield* lock.acquire()
      })
    } else {
      m.thread(function* a() {
        yield* lock.acquire()
        yield* lock.release()
      })
    }
    m.thread(function* b() {
      yield* lock.acquire()
      yield* lock.release()
    })
  },
})
