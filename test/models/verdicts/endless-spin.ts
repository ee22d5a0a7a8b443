// Right: never a bare pass: an endless actor that spins without progress is livelock, or stands under Assuming.
import { model, struct, u1, volatile, pause } from 'vmcheck'
export default model({
  title: 'an endless actor spins for ever over two fields',
  scenarios: { right: { expect: 'pass' } },
  machine(m) {
    const S = struct<{ a: number; b: number }>('s', { a: volatile(u1), b: volatile(u1) })
    const s = m.struct(S, 's')
    m.thread(
      function* e() {
        for (;;) {
          while (s.a === 0 || s.b === 0) yield* pause()
          s.a = 0
          s.b = 0
        }
      },
      { endless: true },
    )
    m.thread(function* t() {
      s.a = 1
    })
  },
})
