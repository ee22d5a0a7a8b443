// A thread alone on its CPU sleeps with interrupts off: `sleep-in-atomic` in the broken variant, nothing in the fixed one.
import { choice, model } from 'vmcheck'
import { Mutex, disableInterrupts, enableInterrupts } from 'vmcheck/vm'

export default model({
  title: 'A thread alone on its CPU sleeps with interrupts off',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'sleep-in-atomic' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const lock = new Mutex(m, 'lock')
    if (variant === 'broken') {
      m.thread(function* a() {
        yield* disableInterrupts()
        yield* lock.acquire()
        yield* lock.release()
        yield* enableInterrupts()
      })
    } else {
      m.thread(function* a() {
        yield* disableInterrupts()
        yield* enableInterrupts()
        yield* lock.acquire()
        yield* lock.release()
      })
    }
  },
})
