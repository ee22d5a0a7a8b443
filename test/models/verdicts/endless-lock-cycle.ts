// Right: pass; an actor that takes and releases a lock for ever is not stuck, whatever shares a step.
import { model } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'
export default model({
  title: 'an endless actor takes and releases a lock',
  scenarios: { right: { expect: 'pass' } },
  machine(m) {
    const lock = new Mutex(m, 'lock')
    m.thread(
      function* cycle() {
        for (;;) {
          yield* lock.acquire()
          yield* lock.release()
        }
      },
      { endless: true },
    )
  },
})
