// Right: pass: the index of `pages[nr++] += yield* ...` is evaluated once, before the operation.
import { model, pause } from 'vmcheck'
export default model({
  title: 'a compound assignment evaluates its index twice',
  params: {},
  scenarios: { a: { expect: 'pass' } },
  machine(m) {
    m.thread(function* batch() {
      const pages = [0, 0]
      let nr = 0
      pages[nr++]! += yield* get()
      m.assert(nr === 1 && pages[0] === 1, 'pages[nr++] += x counts one page')
    })
    function* get() {
      yield* pause()
      return 1
    }
  },
})
