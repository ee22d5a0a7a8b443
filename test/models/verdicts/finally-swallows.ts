// Right: exception 'bug': a finally block that catches an exception of its own keeps the one that waits.
import { model, pause } from 'vmcheck'
export default model({
  title: 'an exception waits for finally, in which another is caught: the kernel bug is swallowed',
  scenarios: { right: { expect: 'exception' } },
  machine(m) {
    function* cleanup() {
      yield* pause()
      throw 'no matter'
    }
    m.thread(function* p() {
      try {
        yield* pause()
        throw 'bug'
      } finally {
        try {
          yield* cleanup()
        } catch {
          /* does not matter */
        }
      }
    })
  },
})
