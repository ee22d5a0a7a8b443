// The wire/unwire protocol of GNU Mach reduced to guarded actions; `mark` = off is the deadlock.
import { atomically, bool, choice, int, model, struct, u3, when } from 'vmcheck'

const Region = struct<{ present: boolean; inTransition: boolean; joined: boolean }>('region', {
  present: bool,
  inTransition: bool,
  joined: bool,
})
const Page = struct<{ busy: boolean; wired: boolean }>('page', { busy: bool, wired: bool })
const Lock = struct<{ writer: boolean; readers: number }>('lock', { writer: bool, readers: u3 })

export default model({
  title: 'Wire and unwire of adjacent regions',
  params: { threads: int(2, { min: 1, max: 7 }), pages: int(1, { min: 1, max: 3 }), mark: choice('on', 'off') },
  scenarios: {
    'wire-2-1': { expect: { verdict: 'pass', states: 148, transitions: 242 } },
    'wire-3-1': { params: { threads: 3 }, expect: { verdict: 'pass', states: 1_394, transitions: 3_039 } },
    'wire-4-1': { params: { threads: 4 }, expect: { verdict: 'pass', states: 12_328, transitions: 33_172 } },
    'wire-4-2': { params: { threads: 4, pages: 2 }, expect: { verdict: 'pass', states: 48_736, transitions: 144_208 } },
    deadlock: { params: { mark: 'off' }, expect: { verdict: 'deadlock', depth: 17 } },
    'deadlock-4-2': { params: { threads: 4, pages: 2, mark: 'off' }, expect: { verdict: 'deadlock', depth: 21 } },
  },
  machine(m, params) {
    const { threads } = params
    // region[i].joined: regions i and i + 1 are one entry
    const regions = m.array(Region, threads, 'region')
    const pages = m.array(Page, threads * params.pages, 'page')
    const lock = m.struct(Lock, 'lock')
    const marks = params.mark === 'on'
    const writeLock = () =>
      when(
        () => !lock.writer && lock.readers === 0,
        () => {
          lock.writer = true
        },
      )
    const unlock = () =>
      atomically(() => {
        lock.writer = false
      })
    let number = 0
    m.cpus(
      threads,
      () => {
        const me = number++
        const own = regions[me]
        const left = regions[me - 1]
        const right = regions[me + 1]
        if (!own) throw new Error('a region for each thread')
        const cut = (): void => {
          if (left) left.joined = false
          own.joined = false
        }
        const span = (): { first: number; last: number } => {
          let first = me
          let last = me
          while (first > 0 && regions[first - 1]?.joined) first--
          while (regions[last]?.joined) last++
          return { first: first * params.pages, last: (last + 1) * params.pages - 1 }
        }
        return function* wireUnwire() {
          for (;;) {
            yield* writeLock()
            yield* atomically(() => {
              own.present = true
              cut()
              own.inTransition = marks
            })
            yield* unlock()
            const { first, last } = yield* atomically(span)
            for (let at = first; at <= last; at++) {
              const page = pages[at]
              if (!page) throw new Error('a page of the span')
              yield* when(
                () => !page.busy,
                () => {
                  page.busy = true
                },
              )
              yield* when(
                () => !lock.writer,
                () => {
                  lock.readers += 1
                },
              )
              yield* atomically(() => {
                lock.readers -= 1
                page.wired = true
              })
              yield* atomically(() => {
                page.busy = false
              })
            }
            yield* writeLock()
            yield* atomically(() => {
              own.inTransition = false
              if (left?.present && !left.inTransition) left.joined = true
              if (right?.present && !right.inTransition) own.joined = true
            })
            yield* unlock()
            yield* when(
              () => !lock.writer && lock.readers === 0,
              () => {
                lock.writer = true
                cut()
              },
            )
            for (let at = me * params.pages; at < (me + 1) * params.pages; at++) {
              const page = pages[at]
              if (!page) throw new Error('an own page')
              yield* when(
                () => !page.busy,
                () => {
                  page.wired = false
                },
              )
            }
            yield* atomically(() => {
              own.present = false
              lock.writer = false
            })
          }
        }
      },
      { endless: true },
    )
  },
})
