// Right: lost-wakeup with symmetry as without.
import { model, struct, u1, volatile, atomically, u2 } from 'vmcheck'
import { WaitChannel } from 'vmcheck/vm'
const O = struct<{ n: number }>('own', { n: u2 })
const S = struct<{ asleep: number }>('s', { asleep: volatile(u1) })
export default model({
  title: 'one of three alike sleeps for ever, the others count round',
  scenarios: { right: { expect: 'lost-wakeup' } },
  machine(m) {
    const own = m.perActor(O, 'own')
    const s = m.struct(S, 's')
    const ch = new WaitChannel(m, 'ch')
    m.cpus(
      3,
      () =>
        function* cpu() {
          const mine = own.of(m.self)
          const first = yield* atomically(() => {
            if (s.asleep === 0 && m.choose(2) === 1) {
              s.asleep = 1
              return true
            }
            return false
          })
          if (first) {
            yield* ch.assertWait()
            yield* ch.block()
          }
          for (;;)
            yield* atomically(() => {
              mine.n = (mine.n + 1) % 4
            })
        },
      { endless: true },
    )
  },
})
