// Right: pass: the value that waits for the finally block is returned.
import { model, pause } from 'vmcheck'
export default model({
  title: 'a return value waits for finally, in which an exception is caught at a point',
  scenarios: { right: { expect: 'pass' } },
  machine(m) {
    function* cleanup() {
      yield* pause()
      throw 'no matter'
    }
    function* f() {
      try {
        return 'value'
      } finally {
        try {
          yield* cleanup()
        } catch {
          /* does not matter */
        }
      }
    }
    m.thread(function* p() {
      const r = yield* f()
      m.assert(r === 'value', `f returned ${String(r)}`)
    })
  },
})
