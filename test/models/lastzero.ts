// Abdulla, Aronis, Jonsson, Sagonas (POPL 2014): thread 0 looks for the last zero of an array, the others each add to an element.
import { int, model, range, struct, volatile } from 'vmcheck'

export default model({
  title: 'The last zero of an array that others write',
  params: { threads: int(5, { min: 1, max: 15 }) },
  machine(m, { threads }) {
    const Element = struct<{ v: number }>('element', { v: volatile(range(0, 20)) })
    const array = m.array(Element, threads + 1, 'element')
    m.thread(function* last() {
      let i = threads
      while (array[i]!.v !== 0) i--
    })
    for (let j = 1; j <= threads; j++) {
      m.thread(function* adder() {
        array[j]!.v = array[j - 1]!.v + 1
      })
    }
  },
})
