// Right: data-race, with a message that says what to declare.
import { model, readOnce, struct, u4 } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'
const S = struct<{ refs: number }>('o', { refs: u4 })
export default model({
  title: 'readOnce of a plain field',
  scenarios: { s: { expect: 'data-race' } },
  machine(m) {
    const o = m.struct(S, 'o')
    const lock = new Mutex(m, 'lock')
    m.thread(function* w() {
      yield* lock.acquire()
      o.refs += 1
      yield* lock.release()
    })
    m.thread(function* r() {
      yield* readOnce(() => o.refs)
    })
  },
})
