// Right: refused (the array was declared interchangeable, and the program looks through it in order), or assertion as with `--reduce none`.
import { model, struct, u4, atomically } from 'vmcheck'
const P = struct<{ v: number }>('page', { v: u4 })
export default model({
  title: 'first page in order that has v',
  scenarios: { right: { expect: 'pass' } },
  machine(m) {
    const pages = m.array(P, 3, 'page', {}, { interchangeable: true })
    m.thread(function* p() {
      const a = m.pick(pages as any, 'page') as any
      const b = m.pick(pages as any, 'page') as any
      yield* atomically(() => {
        a.v = 1
        if (b !== a) b.v = 2
      })
      const first = yield* atomically(() => pages.find((x) => x.v > 0)!.v)
      m.assert(first !== 2, 'the first found is a')
    })
  },
})
