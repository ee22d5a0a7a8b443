// Two threads move pages between two address maps, and lock both.
//
// Claim: when each locks its own map first, they can wait for each other for ever; when both lock the one with the
// lower address first, they cannot.
import { choice, model, struct, u4 } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'

const AddressMap = struct<{ pages: number }>('map', { pages: u4 })

export default model({
  title: 'Moving pages between two maps',
  params: { order: choice('own-first', 'lower-first') },
  scenarios: {
    deadlock: { about: 'each thread locks its own map first', expect: 'deadlock' },
    fixed: { about: 'both lock the lower map first', params: { order: 'lower-first' }, expect: 'pass' },
  },
  machine(m, { order }) {
    const maps = [0, 1].map((i) => ({
      data: m.struct(AddressMap, `map[${i}]`, { pages: 4 }),
      lock: new Mutex(m, `map[${i}].lock`),
    }))
    const [low, high] = maps as [(typeof maps)[0], (typeof maps)[0]]

    const move = (from: typeof low, to: typeof low) =>
      function* movePage() {
        const [first, second] = order === 'own-first' ? [from, to] : [low, high]
        yield* first.lock.acquire()
        yield* second.lock.acquire()
        from.data.pages -= 1
        to.data.pages += 1
        yield* second.lock.release()
        yield* first.lock.release()
      }

    m.thread(move(low, high))
    m.thread(move(high, low))
    m.atRest('no page is lost', () => low.data.pages + high.data.pages === 8)
    m.sometimes('the lower map is locked', () => low.lock.owner !== null)
  },
})
