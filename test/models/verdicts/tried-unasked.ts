// Right: exception: a lock that is tried must be made so, for others may take and release it within one step.
import { model, struct, u4 } from 'vmcheck'
import { RwSpinLock } from 'vmcheck/vm'
const D = struct<{ v: number }>('d', { v: u4 })
export default model({
  title: 'a reader/writer lock is tried',
  scenarios: { right: { expect: 'exception' } },
  machine(m) {
    const lock = new RwSpinLock(m, 'lock')
    const d = m.struct(D, 'd')
    m.thread(function* tries() {
      if (yield* lock.tryWrite()) {
        d.v += 1
        yield* lock.release()
      }
    })
    m.thread(function* waits() {
      yield* lock.write()
      d.v += 1
      yield* lock.release()
    })
    m.atRest('both counted', () => d.v === 2)
  },
})
