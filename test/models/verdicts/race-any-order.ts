// Right: data-race, whichever of the two actors comes first in the list.
import { model, struct, u4, when } from 'vmcheck'
const S = struct<{ x: number; g: number }>('s', { x: u4, g: u4 })
export default model({
  title: 'the earlier actor waits in a guard for what the later one writes plainly',
  scenarios: { right: { expect: 'data-race' } },
  machine(m) {
    const s = m.struct(S, 's')
    m.thread(function* q() {
      yield* when(() => s.x === 1)
    })
    m.thread(function* p() {
      s.x = 1
    })
  },
})
