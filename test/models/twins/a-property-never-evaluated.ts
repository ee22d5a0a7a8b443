// A property never evaluated: `unreached` in the broken variant, nothing in the fixed one.
import { atomically, choice, model, pause, struct, u4 } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'A property never evaluated',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'unreached' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    m.atRest('fine', () => true)
    if (variant === 'broken') {
      m.thread(
        function* a() {
          for (;;)
            yield* atomically(() => {
              x.v = (x.v + 1) % 2
            })
        },
        { daemon: true },
      )
    } else {
      m.thread(function* a() {
        yield* pause()
      })
    }
  },
})
