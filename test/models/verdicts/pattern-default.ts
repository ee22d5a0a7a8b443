// Right: pass: in a pattern a later default may use an earlier variable.
import { model, pause } from 'vmcheck'
export default model({
  title: 'defaults of a pattern',
  scenarios: { one: { expect: 'pass' } },
  machine(m) {
    m.thread(function* t() {
      const { a, b = a } = { a: 1 } as { a: number; b?: number }
      const [x = 2, y = x + 1] = [] as number[]
      yield* pause()
      m.assert(a === 1 && b === 1 && x === 2 && y === 3)
    })
  },
})
