// Right: the same verdict whether the search is resumed from a checkpoint or not.
import { model, struct, u4, atomically } from 'vmcheck'
const O = struct<{ n: number }>('own', { n: u4 })
export default model({
  title: 'ends at once or counts on',
  scenarios: { right: { expect: 'pass' } },
  machine(m) {
    const own = m.struct(O, 'own')
    m.thread(function* t() {
      if (m.choose(2) === 0) return
      for (let k = 0; k < 12; k++)
        yield* atomically(() => {
          own.n++
        })
    })
  },
})
