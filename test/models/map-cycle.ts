// CPUs that wire pages of their own, each under its page's lock, between visits to a map that they share.
import { atomically, int, model, range, struct } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'

const Page = struct<{ wirings: number }>('page', { wirings: range(0, 3) })
const Map = struct<{ entries: number }>('map', { entries: range(0, 48) })

export default model({
  title: 'Wiring own pages between visits to a shared map',
  params: { cpus: int(3, { min: 1, max: 6 }), rounds: int(1, { min: 1, max: 8 }) },
  scenarios: { default: { expect: 'pass' } },
  machine(m, { cpus, rounds }) {
    const lock = new Mutex(m, 'map.lock')
    const map = m.struct(Map, 'map')
    m.cpus(cpus, (cpu) => {
      const page = m.struct(Page, `page of ${cpu.name}`)
      const pageLock = new Mutex(m, `lock of the page of ${cpu.name}`)
      return function* wirer() {
        for (let round = 0; round < rounds; round++) {
          yield* lock.acquire()
          map.entries += 1
          yield* lock.release()
          for (let i = 0; i < 3; i++) {
            yield* pageLock.acquire()
            page.wirings += 1
            yield* pageLock.release()
          }
          yield* atomically(() => (page.wirings = 0))
        }
        yield* lock.acquire()
        map.entries -= rounds
        yield* lock.release()
      }
    })
    m.atRest('no page keeps a wiring', () => map.entries === 0)
  },
})
