// A mutex is taken with a spin lock held: `sleep-in-atomic` in the broken variant, nothing in the fixed one.
import { choice, model } from 'vmcheck'
import { Mutex, SpinLock } from 'vmcheck/vm'

export default model({
  title: 'A mutex is taken with a spin lock held',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'sleep-in-atomic' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const lock = new Mutex(m, 'lock')
    const s = new SpinLock(m, 's')
    if (variant === 'broken') {
      m.thread(function* a() {
        yield* s.acquire()
        yield* lock.acquire()
        yield* lock.release()
        yield* s.release()
      })
    } else {
      m.thread(function* a() {
        yield* lock.acquire()
        yield* s.acquire()
        yield* s.release()
        yield* lock.release()
      })
    }
  },
})
