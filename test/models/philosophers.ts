// Dining philosophers with mutexes, left fork first: everybody may hold one fork and wait for the next.
import { boolean, int, model, pause } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'

export default model({
  title: 'Dining philosophers, left fork first',
  params: { n: int(3, { min: 2, max: 8 }), eats: boolean(false) },
  scenarios: { deadlock: { expect: 'deadlock' } },
  machine(m, { n, eats }) {
    const forks = Array.from({ length: n }, (_, i) => new Mutex(m, `fork[${i}]`))
    forks.forEach((left, i) => {
      const right = forks[(i + 1) % n] ?? left
      m.thread(
        function* philosopher() {
          for (;;) {
            yield* left.acquire()
            yield* right.acquire()
            if (eats) yield* pause()
            yield* left.release()
            yield* right.release()
          }
        },
        { endless: true },
      )
    })
  },
})
