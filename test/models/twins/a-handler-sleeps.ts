// A handler sleeps: `sleep-in-atomic` in the broken variant, nothing in the fixed one.
import { choice, model, pause } from 'vmcheck'
import { Mutex, InterruptLine } from 'vmcheck/vm'

export default model({
  title: 'A handler sleeps',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'sleep-in-atomic' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const lock = new Mutex(m, 'lock')
    const cpu = m.cpu()
    const irq = new InterruptLine(m, 'irq')
    if (variant === 'broken') {
      irq.handle(cpu, function* h() {
        yield* lock.acquire()
        yield* lock.release()
      })
    } else {
      irq.handle(cpu, function* h() {
        yield* pause()
      })
    }
    m.thread(function* a() {
      yield* irq.send(cpu)
    })
  },
})
