// Two that keep stepping aside: `livelock` in the broken variant, nothing in the fixed one.
import { atomically, choice, model, readOnce, struct, u4 } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'Two that keep stepping aside',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'livelock' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    const y = m.struct(Cell, 'y')
    const aside = (mine: { v: number }, theirs: { v: number }) =>
      function* () {
        for (;;) {
          yield* atomically(() => {
            mine.v = 1
          })
          const isFree = (yield* readOnce(() => theirs.v)) === 0
          if (isFree && variant === 'broken') return // the flag is left up
          yield* atomically(() => {
            mine.v = 0
          })
          if (isFree) return
        }
      }
    m.thread(aside(x, y))
    m.thread(aside(y, x))
  },
})
