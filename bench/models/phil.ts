// Dining philosophers as a side-by-side protocol: one guarded atomic action a step, forever.
// All take the left fork first; with `last` = right-first the last one does not, and no one hangs: 3^N states.
import { bool, choice, int, model, struct, when, atomically } from 'vmcheck'

const Fork = struct<{ taken: boolean }>('fork', { taken: bool })

export default model({
  title: 'Dining philosophers',
  params: { n: int(3, { min: 2, max: 15 }), last: choice('right-first', 'left-first') },
  scenarios: {
    'phil-3': { expect: { verdict: 'pass', states: 27, transitions: 54 } },
    'phil-5': { params: { n: 5 }, expect: { verdict: 'pass', states: 243, transitions: 810 } },
    'phil-9': { params: { n: 9 }, expect: { verdict: 'pass', states: 19_683, transitions: 118_098 } },
    deadlock: { about: 'all take left first', params: { n: 5, last: 'left-first' }, expect: 'deadlock' },
  },
  machine(m, { n, last }) {
    const forks = m.array(Fork, n, 'fork')
    for (let i = 0; i < n; i++) {
      const sides = [forks[i], forks[(i + 1) % n]] as const
      const [first, second] = last === 'right-first' && i === n - 1 ? [sides[1], sides[0]] : sides
      if (!first || !second) throw new Error('two forks')
      m.thread(
        function* philosopher() {
          for (;;) {
            yield* when(
              () => !first.taken,
              () => {
                first.taken = true
              },
            )
            yield* when(
              () => !second.taken,
              () => {
                second.taken = true
              },
            )
            yield* atomically(() => {
              first.taken = false
            })
            yield* atomically(() => {
              second.taken = false
            })
          }
        },
        { endless: true },
      )
    }
  },
})
