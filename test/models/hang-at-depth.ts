// A thread that hangs after three steps, or takes thirty and ends, while another one runs forever. That it could move
// before it hung is known of the states of the first levels alone, and must not be lost while the search continues.
import { atomically, model, struct, u, u1, when } from 'vmcheck'

const OwnStruct = struct<{ steps: number; isLet: number }>('own', { steps: u(5), isLet: u1 })
const ClockStruct = struct<{ ticks: number }>('clock', { ticks: u1 })

export default model({
  title: 'a thread that hangs after three steps, or ends',
  scenarios: { default: { expect: 'deadlock' } },
  machine(m) {
    const own = m.struct(OwnStruct, 'own')
    const clock = m.struct(ClockStruct, 'clock')
    m.thread(function* worker() {
      const isLong = m.choose(2) === 1
      for (let k = 0; k < (isLong ? 30 : 3); k++)
        yield* atomically(() => {
          own.steps += 1
        })
      if (!isLong) yield* when(() => own.isLet === 1)
    })
    m.thread(
      function* ticker() {
        for (;;)
          yield* atomically(() => {
            clock.ticks = 1 - clock.ticks
          })
      },
      { endless: true },
    )
  },
})
