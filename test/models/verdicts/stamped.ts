// Right: refused: a constructor gives a private field to an object that has been there before.
import { model, struct, u4, volatile } from 'vmcheck'
const X = struct<{ v: number }>('x', { v: volatile(u4) })
class Base {
  readonly kind = 'base'
  constructor(it: object) {
    return it as Base
  }
}
class Stamp extends Base {
  #n = 1
  get n() {
    return this.#n
  }
  static has(it: object) {
    return #n in it
  }
}
const shared = { a: 1 }
export default model({
  title: 'hidden state through private fields',
  machine(m) {
    const x = m.struct(X, 'x')
    m.thread(function* a() {
      if (!Stamp.has(shared)) void new Stamp(shared)
      x.v = 1
    })
    m.thread(function* b() {
      const early = x.v === 0
      m.assert(!early || Stamp.has(shared), 'a was first')
    })
  },
})
