// Right: lost-wakeup: whom a channel names as its wakers is for reports, and decides no verdict.
import { type Actor, model } from 'vmcheck'
import { WaitChannel } from 'vmcheck/vm'
export default model({
  title: 'a sleeper whose waker has finished',
  scenarios: { right: { expect: 'lost-wakeup' } },
  machine(m) {
    const pagers: Actor[] = []
    const busy = new WaitChannel(m, 'page.busy', () => pagers)
    m.thread(function* fault() {
      yield* busy.assertWait()
      yield* busy.block()
    })
    pagers.push(
      m.thread(function* pager() {
        yield* busy.wakeup()
      }),
    )
  },
})
