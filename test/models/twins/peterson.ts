// Peterson’s algorithm without waiting for one’s turn: `assertion` in the broken variant, nothing in the fixed one.
import { type Machine, atomically, choice, model, struct, u4, when } from 'vmcheck'

interface Cell {
  v: number
}
const Cell = struct<Cell>('cell', { v: u4 })

const peterson = (m: Machine, mine: Cell, theirs: Cell, turn: Cell, me: number, inside: Cell, waits: boolean) =>
  function* () {
    yield* atomically(() => {
      mine.v = 1
    })
    yield* atomically(() => {
      turn.v = 1 - me
    })
    yield* when(() => theirs.v === 0 || (waits ? turn.v === me : true))
    yield* atomically(() => {
      inside.v += 1
      m.assert(inside.v === 1, 'one at a time')
    })
    yield* atomically(() => {
      inside.v -= 1
      mine.v = 0
    })
  }

export default model({
  title: 'Peterson’s algorithm without waiting for one’s turn',
  params: { variant: choice('broken', 'fixed') },
  scenarios: { broken: { expect: 'assertion' }, fixed: { params: { variant: 'fixed' }, expect: 'pass' } },
  machine(m, { variant }) {
    const x = m.struct(Cell, 'x')
    const y = m.struct(Cell, 'y')
    const t = m.struct(Cell, 'turn')
    const c = m.struct(Cell, 'inside')
    const waits = variant === 'fixed'
    m.thread(peterson(m, x, y, t, 0, c, waits))
    m.thread(peterson(m, y, x, t, 1, c, waits))
  },
})
