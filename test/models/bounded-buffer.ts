// A bounded buffer whose producers and consumers share one condition variable and wake one waiter (Hoare's monitor
// simplified to one step a call): deadlock-free exactly when twice the capacity is at least the number of threads.
import { bool, int, model, struct, u4, when } from 'vmcheck'

/** A place of the buffer: 0, or the number of the producer whose item it holds. */
const Place = struct<{ item: number }>('place', { item: u4 })
const Waiter = struct<{ sleeps: boolean }>('waiter', { sleeps: bool })

export default model({
  title: 'Bounded buffer with one condition variable',
  params: {
    producers: int(1, { min: 1, max: 5 }),
    consumers: int(1, { min: 1, max: 5 }),
    capacity: int(1, { min: 1, max: 5 }),
  },
  machine(m, { producers, consumers, capacity }) {
    const places = m.array(Place, capacity, 'place')
    const waiters = m.array(Waiter, producers + consumers, 'waiter')
    const put = (item: number): boolean => {
      const free = places.find((place) => place.item === 0)
      if (free) free.item = item
      return free !== undefined
    }
    const get = (): boolean => {
      if (places[0]?.item === 0) return false
      places.forEach((place, i) => (place.item = places[i + 1]?.item ?? 0))
      return true
    }
    const wakeOne = (): void => {
      const sleeping = waiters.filter(({ sleeps }) => sleeps)
      const woken = sleeping.length > 0 ? sleeping[m.choose(sleeping.length, 'who is woken')] : undefined
      if (woken) woken.sleeps = false
    }
    waiters.forEach((self, i) => {
      m.thread(
        function* worker() {
          for (;;) {
            yield* when(
              () => !self.sleeps,
              () => {
                const isDone = i < producers ? put(i + 1) : get()
                if (isDone) wakeOne()
                else self.sleeps = true
              },
            )
          }
        },
        { endless: true },
      )
    })
  },
})
