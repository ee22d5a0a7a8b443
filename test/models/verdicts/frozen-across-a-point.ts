// Right: what native JavaScript does: a frozen array stays frozen across a point.
import { model, pause } from 'vmcheck'
export default model({
  title: 'frozen, hidden and getter-less objects across a point',
  scenarios: { right: { expect: 'pass' } },
  machine(m) {
    m.thread(function* p() {
      const o = Object.freeze({ a: 1 })
      yield* pause()
      m.assert(Object.isFrozen(o), 'still frozen')
    })
  },
})
