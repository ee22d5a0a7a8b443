// A one-step spin that no one ends: `livelock` in the broken variant, nothing in the fixed one.
import { atomically, choice, model, readOnce, struct, u4 } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'A one-step spin that nobody ends',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'livelock' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    if (variant === 'broken') {
      m.thread(function* spinner() {
        while ((yield* readOnce(() => x.v)) === 0) void 0
      })
    } else {
      m.thread(function* spinner() {
        while ((yield* readOnce(() => x.v)) === 0) void 0
      })
      m.thread(function* ender() {
        yield* atomically(() => {
          x.v = 1
        })
      })
    }
  },
})
