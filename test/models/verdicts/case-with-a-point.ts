// Right: pass: variables survive a point in a case label.
import { model, pause } from 'vmcheck'
function* f(x: number) {
  yield* pause()
  return x
}
export default model({
  title: 'point in a case',
  scenarios: { right: { expect: 'pass' } },
  machine(m) {
    m.thread(function* p() {
      const s = 'kept'
      switch (2 as number) {
        case yield* f(0):
          break
        default:
          m.assert(s === 'kept', `s is ${s}`)
      }
    })
  },
})
