// A reader/writer lock that prefers writers, used forever by threads that choose what to be each time.
import { atomically, int, model, struct, bool, u4, when } from 'vmcheck'

const Lock = struct<{ writer: boolean; readers: number; waiting: number }>('lock', {
  writer: bool,
  readers: u4,
  waiting: u4,
})

export default model({
  title: 'A reader/writer lock that prefers writers',
  params: { n: int(3, { min: 1, max: 14 }) },
  scenarios: {
    'readers-3': { expect: 'pass' },
    'readers-6': { params: { n: 6 }, expect: 'pass' },
  },
  machine(m, { n }) {
    const lock = m.struct(Lock, 'lock')
    for (let i = 0; i < n; i++) {
      m.thread(
        function* user() {
          for (;;) {
            const writes = yield* atomically(() => {
              const chosen = m.choose(2) === 1
              if (chosen) lock.waiting += 1
              return chosen
            })
            if (writes) {
              yield* when(
                () => !lock.writer && lock.readers === 0,
                () => {
                  lock.writer = true
                  lock.waiting -= 1
                },
              )
              yield* atomically(() => {
                m.assert(() => lock.readers === 0, 'a writer is alone')
                lock.writer = false
              })
            } else {
              yield* when(
                () => !lock.writer && lock.waiting === 0,
                () => {
                  lock.readers += 1
                },
              )
              yield* atomically(() => {
                m.assert(() => !lock.writer, 'readers read')
                lock.readers -= 1
              })
            }
          }
        },
        { endless: true },
      )
    }
  },
})
