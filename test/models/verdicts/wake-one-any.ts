// Right: assertion: wakeOne may choose any sleeper, not only the first.
import { model, struct, u1, volatile, when } from 'vmcheck'
import { WaitChannel } from 'vmcheck/vm'
const S = struct<{ n: number; first: number }>('s', { n: volatile(u1), first: volatile(u1) })
export default model({
  title: 'the second sleeper may be woken',
  scenarios: { right: { expect: 'assertion' } },
  machine(m) {
    const s = m.struct(S, 's')
    const ch = new WaitChannel(m, 'ch')
    m.thread(
      function* a() {
        yield* ch.assertWait()
        s.n = 1
        yield* ch.block()
      },
      { daemon: true },
    )
    m.thread(
      function* b() {
        yield* when(() => s.n === 1)
        yield* ch.assertWait()
        s.first = 1
        yield* ch.block()
        m.assert(false, 'b is woken')
      },
      { daemon: true },
    )
    m.thread(function* w() {
      yield* when(() => s.first === 1)
      yield* ch.wakeOne()
    })
  },
})
