// Right: invariant, at both granularities: `whenFree` of the lock released second sees what happens after the first release.
import { model, struct, u1 } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'
// every field is accessed under its own lock only, and no data race exists
const F = struct<{ v: number }>('f', { v: u1 })
export default model({
  title: 'hand over hand: when the map lock is given back, no page is in transit',
  scenarios: { right: { expect: 'invariant' } },
  machine(m) {
    const page = m.struct(F, 'page.free'),
      transit = m.struct(F, 'page.transit')
    const mapLock = new Mutex(m, 'map.lock'),
      pageLock = new Mutex(m, 'page.lock')
    m.thread(function* p() {
      yield* mapLock.acquire()
      yield* pageLock.acquire()
      page.v = 1
      yield* pageLock.release()
      yield* mapLock.release()
    })
    m.thread(function* q() {
      yield* pageLock.acquire()
      if (page.v === 1) transit.v = 1
      yield* pageLock.release()
    })
    m.invariant('no page is in transit when the map lock is free', () => transit.v === 0, { whenFree: mapLock })
  },
})
