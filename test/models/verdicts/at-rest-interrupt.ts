// Right: pass: there is no rest while an interrupt can be taken or a handler is at work.
import { model, struct, u2, atomically } from 'vmcheck'
import { InterruptLine } from 'vmcheck/vm'
const S = struct<{ y: number }>('s', { y: u2 })
export default model({
  title: 'at rest with an interrupt in flight',
  scenarios: { one: { expect: 'pass' } },
  machine(m) {
    const s = m.struct(S, 's')
    const cpu = m.cpu()
    const line = new InterruptLine(m, 'irq')
    line.handle(cpu, function* h() {
      yield* atomically(() => {
        s.y = 1
      })
      yield* atomically(() => {
        s.y = 2
      })
    })
    m.thread(function* sender() {
      yield* line.send(cpu)
    })
    m.atRest('served', () => line.isPending(cpu) || s.y === 2)
  },
})
