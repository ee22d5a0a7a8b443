// Leader election on a one-way ring (Chang and Roberts, 1979): every process sends its number round, larger ones swallow
// smaller ones, and whose number comes back is the leader, who starts the next round. A link holds one message.
import { atomically, int, model, struct, u, when } from 'vmcheck'

const Link = struct<{ message: number }>('link', { message: u(5) })

export default model({
  title: 'Leader election on a ring',
  params: { n: int(3, { min: 2, max: 18 }) },
  scenarios: {
    'ring-3': { expect: 'pass' },
    'ring-6': { params: { n: 6 }, expect: 'pass' },
  },
  machine(m, { n }) {
    const links = m.array(Link, n, 'link')
    for (let i = 0; i < n; i++) {
      const own = i + 1
      const [left, right] = [links[(i + n - 1) % n], links[i]]
      if (!left || !right) throw new Error('two links')
      m.thread(
        function* member() {
          for (;;) {
            yield* when(
              () => right.message === 0,
              () => {
                right.message = own
              },
            )
            for (;;) {
              const got = yield* when(
                () => left.message !== 0,
                () => {
                  const message = left.message
                  left.message = 0
                  return message < own ? 0 : message
                },
              )
              if (got === own) break
              if (got > own)
                yield* when(
                  () => right.message === 0,
                  () => {
                    right.message = got
                  },
                )
            }
            yield* atomically(() => m.assert(() => own === n, 'the largest is elected'))
          }
        },
        { endless: true },
      )
    }
  },
})
