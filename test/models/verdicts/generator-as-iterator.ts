// Right: a refusal with its place, or what native JavaScript does; never a violation of the model.
import { model, pause } from 'vmcheck'
const list = { *[Symbol.iterator](): Generator<number> {} }
export default model({
  title: 'a class with a generator as its iterator (plain JavaScript, no operation)',
  scenarios: { right: { expect: 'pass' } },
  machine(m) {
    m.thread(function* p() {
      let n = 0
      for (const x of list) n += x
      yield* pause()
      m.assert(n === 0)
    })
  },
})
