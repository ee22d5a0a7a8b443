// Invariant in every state: `invariant` in the broken variant, nothing in the fixed one.
import { atomically, choice, model, struct, u4 } from 'vmcheck'

const Cell = struct<{ v: number }>('cell', { v: u4 })

export default model({
  title: 'Invariant in every state',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'invariant' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    if (variant === 'broken') {
      m.always('x is not two', () => x.v !== 2)
    } else {
      m.always('x is not four', () => x.v !== 4)
    }
    m.thread(function* a() {
      for (let i = 0; i < 3; i++)
        yield* atomically(() => {
          x.v += 1
        })
    })
  },
})
