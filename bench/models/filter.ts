// Peterson's lock for N processes (the filter lock), forever.
import { atomically, int, model, struct, u3, when } from 'vmcheck'

const Process = struct<{ level: number }>('process', { level: u3 })
const Room = struct<{ last: number }>('room', { last: u3 })

export default model({
  title: 'Peterson’s filter lock',
  params: { n: int(2, { min: 2, max: 5 }) },
  scenarios: {
    'filter-2': { expect: { verdict: 'pass', states: 54, transitions: 98 } },
    'filter-3': { params: { n: 3 }, expect: { verdict: 'pass', states: 2_287, transitions: 5_712 } },
  },
  machine(m, { n }) {
    const processes = m.array(Process, n, 'process')
    const rooms = m.array(Room, n, 'room')
    processes.forEach((self, i) => {
      m.thread(
        function* filter() {
          for (;;) {
            yield* atomically(() => undefined) // l := 1
            for (let level = 1; level < n; level++) {
              const l = level
              const room = rooms[l]
              if (!room) throw new Error('a room for each level')
              yield* atomically(() => {
                self.level = l
              })
              yield* atomically(() => {
                room.last = i
              })
              for (let other = 0; other < n; other++) {
                const k = other
                const process = processes[k]
                yield* when(() => k === i || (process !== undefined && process.level < l) || room.last !== i)
              }
              yield* atomically(() => undefined)
            }
            yield* atomically(() => {
              m.assert(() => processes.filter(({ level }) => level === n - 1).length <= n, 'levels are levels')
              self.level = 0
            })
          }
        },
        { endless: true },
      )
    })
  },
})
