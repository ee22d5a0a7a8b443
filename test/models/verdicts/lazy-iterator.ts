// Right: what native JavaScript does: 4 turns; iterators are followed lazily and closed.
import { model, pause } from 'vmcheck'
class Ring {
  readonly items: number[]
  constructor(items: number[]) {
    this.items = items
  }
  [Symbol.iterator]() {
    let i = 0
    const items = this.items
    return {
      next: () => ({ done: i >= items.length, value: items[i++]! }),
      return: () => {
        closed.n++
        return { done: true, value: 0 }
      },
    }
  }
}
const closed = { n: 0 }
export default model({
  title: 'lazy iterator: for-of over what grows while it is walked',
  scenarios: { right: { expect: 'pass' } },
  machine(m) {
    m.thread(function* p() {
      const items = [1, 2]
      let n = 0
      for (const x of new Ring(items)) {
        if (items.length < 4) items.push(x + 10)
        n++
      }
      yield* pause()
      let k = 0
      for (const x of [1, 2].values()) {
        k += x
        yield* pause()
      }
      m.assert(n === 4 && k === 3, `${n} turns`)
    })
  },
})
