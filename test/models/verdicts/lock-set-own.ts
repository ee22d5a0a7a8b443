// Right: refused: one bit of the word is the actor's own, the others say who else reads within a step.
import { model } from 'vmcheck'
import { SleepLock } from 'vmcheck/vm'
export default model({
  title: 'a reader asserts that it is the only one',
  machine(m) {
    const lock = new SleepLock(m, 'lock')
    m.thread(function* a() {
      yield* lock.read()
      m.assert(() => lock.state.readers === 1, 'alone')
      yield* lock.release()
    })
    m.thread(function* b() {
      yield* lock.read()
      yield* lock.release()
    })
  },
})
