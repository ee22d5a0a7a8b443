// Lost wakeup: `lost-wakeup` in the broken variant, nothing in the fixed one.
import { choice, model, struct, u4 } from 'vmcheck'
import { Mutex, WaitChannel } from 'vmcheck/vm'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'Lost wakeup',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'lost-wakeup' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    const lock = new Mutex(m, 'lock')
    const done = new WaitChannel(m, 'done')
    if (variant === 'broken') {
      m.thread(function* waiter() {
        yield* lock.acquire()
        const ready = x.v === 1
        yield* lock.release()
        if (!ready) {
          yield* done.assertWait()
          yield* done.block()
        }
      })
    } else {
      m.thread(function* waiter() {
        yield* lock.acquire()
        const ready = x.v === 1
        if (!ready) yield* done.assertWait()
        yield* lock.release()
        if (!ready) yield* done.block()
      })
    }
    m.thread(function* waker() {
      yield* lock.acquire()
      x.v = 1
      yield* lock.release()
      yield* done.wakeup()
    })
  },
})
