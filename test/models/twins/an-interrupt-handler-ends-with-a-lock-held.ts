// An interrupt handler ends with a lock held: `imbalance` in the broken variant, nothing in the fixed one.
import { choice, model } from 'vmcheck'
import { SpinLock, InterruptLine } from 'vmcheck/vm'

export default model({
  title: 'An interrupt handler ends with a lock held',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'imbalance' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const cpu = m.cpu()
    const irq = new InterruptLine(m, 'irq')
    const s = new SpinLock(m, 's')
    if (variant === 'broken') {
      irq.handle(cpu, function* h() {
        yield* s.acquire()
      })
    } else {
      irq.handle(cpu, function* h() {
        yield* s.acquire()
        yield* s.release()
      })
    }
    m.thread(function* a() {
      yield* irq.send(cpu)
    })
  },
})
