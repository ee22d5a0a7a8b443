// Right: pass: a pending interrupt is taken as soon as interrupts are on, before the thread's next operation.
import { model, struct, u1, atomically } from 'vmcheck'
import { InterruptLine, disableInterrupts, enableInterrupts } from 'vmcheck/vm'
const S = struct<{ handled: number }>('s', { handled: u1 })
export default model({
  title: 'a pending interrupt and enableInterrupts',
  scenarios: { one: { expect: 'pass' } },
  machine(m) {
    const s = m.struct(S, 's')
    const cpu = m.cpu()
    const line = new InterruptLine(m, 'ipi')
    line.handle(cpu, function* h() {
      yield* atomically(() => {
        s.handled = 1
      })
    })
    m.thread(
      function* t() {
        yield* disableInterrupts()
        yield* line.send(cpu)
        yield* enableInterrupts()
        yield* atomically(() => m.assert(s.handled === 1, 'handled by now'))
      },
      { on: cpu },
    )
  },
})
