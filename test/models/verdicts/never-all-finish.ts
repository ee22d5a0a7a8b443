// Right: livelock, and its trace replays: one of the two threads never comes to its end.
import { model, pause } from 'vmcheck'
export default model({
  title: 'not all can finish',
  scenarios: { one: { expect: 'livelock' } },
  machine(m) {
    m.thread(function* loops() {
      for (;;) yield* pause()
    })
    m.thread(function* ends() {
      yield* pause()
    })
  },
})
