// Abdulla, Aronis, Jonsson, Sagonas (POPL 2014): one writer of a variable and some readers of it.
import { int, model, struct, u1, volatile } from 'vmcheck'

export default model({
  title: 'One writer and some readers of one variable',
  params: { readers: int(2, { min: 1, max: 16 }) },
  machine(m, { readers }) {
    const X = struct<{ v: number }>('x', { v: volatile(u1) })
    const x = m.struct(X, 'x')
    m.thread(function* writer() {
      x.v = 1
    })
    for (let i = 0; i < readers; i++) {
      m.thread(function* reader() {
        void x.v
      })
    }
  },
})
