// Right: exception: after a downgrade, readers may be inside when the lock is taken for writing again.
import { model, struct, u4, volatile, when } from 'vmcheck'
import { SleepLock } from 'vmcheck/vm'
const X = struct<{ v: number }>('x', { v: volatile(u4) })
export default model({
  title: 'a recursive write hold that keeps nobody out',
  scenarios: { right: { expect: 'exception' } },
  machine(m) {
    const x = m.struct(X, 'x')
    const lock = new SleepLock(m, 'lock')
    m.thread(function* holder() {
      yield* lock.write()
      yield* lock.setRecursive()
      yield* lock.downgrade()
      yield* lock.release()
      yield* lock.write()
      x.v = 1
      yield* lock.release()
      yield* lock.clearRecursive()
    })
    m.thread(function* reader() {
      yield* when(() => x.v === 1)
      yield* lock.read()
      yield* lock.release()
    })
  },
})
