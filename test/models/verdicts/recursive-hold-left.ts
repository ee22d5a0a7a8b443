// Right: imbalance: a write hold taken by recursion is given back neither by a downgrade before it nor by ending.
import { model } from 'vmcheck'
import { SleepLock } from 'vmcheck/vm'
export default model({
  title: 'a recursive hold is left',
  scenarios: { one: { expect: 'imbalance' } },
  machine(m) {
    const lock = new SleepLock(m, 'map.lock')
    m.thread(function* t() {
      yield* lock.write()
      yield* lock.setRecursive()
      yield* lock.downgrade()
      yield* lock.upgrade()
    })
  },
})
