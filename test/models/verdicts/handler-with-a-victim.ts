// Right: livelock, and its trace replays: the handler loops for ever, and a thread waits for its CPU.
import { model, pause } from 'vmcheck'
import { InterruptLine } from 'vmcheck/vm'
export default model({
  title: 'a handler that loops, and who waits for its CPU',
  scenarios: { one: { expect: 'livelock' } },
  machine(m) {
    const cpu = m.cpu()
    const line = new InterruptLine(m, 'ipi')
    line.handle(cpu, function* handler() {
      for (;;) yield* pause()
    })
    m.thread(
      function* victim() {
        yield* pause()
      },
      { on: cpu },
    )
    m.thread(function* sender() {
      yield* line.send(cpu)
    })
  },
})
