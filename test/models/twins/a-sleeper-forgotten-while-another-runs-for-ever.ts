// A sleeper forgotten while another runs forever: `lost-wakeup` in the broken variant, nothing in the fixed one.
import { atomically, choice, model, struct, u4 } from 'vmcheck'
import { WaitChannel } from 'vmcheck/vm'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'A sleeper forgotten while another runs for ever',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'lost-wakeup' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    const c = new WaitChannel(m, 'c')
    m.thread(function* sleeper() {
      yield* c.assertWait()
      yield* c.block()
    })
    if (variant === 'broken') {
      m.thread(
        function* ticker() {
          for (;;)
            yield* atomically(() => {
              x.v = 1 - x.v
            })
        },
        { endless: true },
      )
    } else {
      m.thread(
        function* ticker() {
          for (;;) yield* c.wakeup()
        },
        { endless: true },
      )
    }
  },
})
