// Right: assertion: of two interrupts that waited for interrupts to be switched on, either may be taken first.
import { atomically, bool, model, struct } from 'vmcheck'
import { InterruptLine, disableInterrupts, enableInterrupts } from 'vmcheck/vm'
const S = struct<{ timer: boolean }>('s', { timer: bool })
export default model({
  title: 'two pending interrupts',
  scenarios: { one: { expect: 'assertion' } },
  machine(m) {
    const s = m.struct(S, 's')
    const cpu = m.cpu()
    const timer = new InterruptLine(m, 'timer'),
      ipi = new InterruptLine(m, 'ipi')
    timer.handle(cpu, function* tick() {
      yield* atomically(() => {
        s.timer = true
      })
    })
    ipi.handle(cpu, function* flush() {
      yield* atomically(() => m.assert(s.timer, 'the timer was first'))
    })
    m.thread(
      function* t() {
        yield* disableInterrupts()
        yield* timer.send(cpu)
        yield* ipi.send(cpu)
        yield* enableInterrupts()
      },
      { on: cpu },
    )
  },
})
