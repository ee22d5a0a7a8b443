// A spin that no one ends: `livelock` in the broken variant, nothing in the fixed one.
import { atomically, choice, model, pause, readOnce, struct, u4 } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'A spin that nobody ends',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'livelock' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    if (variant === 'broken') {
      m.thread(function* spinner() {
        while ((yield* readOnce(() => x.v)) === 0) yield* pause()
      })
    } else {
      m.thread(function* spinner() {
        while ((yield* readOnce(() => x.v)) === 0) yield* pause()
      })
      m.thread(function* ender() {
        yield* atomically(() => {
          x.v = 1
        })
      })
    }
  },
})
