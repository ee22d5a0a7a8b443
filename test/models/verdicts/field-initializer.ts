// Right: refused: a field's initializer runs when an object is made, and assigns a variable outside.
import { model, struct, u4, volatile } from 'vmcheck'
const X = struct<{ v: number }>('x', { v: volatile(u4) })
let flag = false
class C {
  v = (flag = true)
}
export default model({
  title: 'hidden state through a field initializer',
  machine(m) {
    const x = m.struct(X, 'x')
    m.thread(function* a() {
      void new C().v
      x.v = 1
    })
    m.thread(function* b() {
      const early = x.v === 0
      m.assert(!early || flag, 'a was first')
    })
  },
})
