// Copy-on-write faults on shared frames under one global lock; `lock` = off shows the lost count.
import { atomically, bool, choice, int, model, struct, u3, when } from 'vmcheck'

const Frame = struct<{ references: number }>('frame', { references: u3 })
const Entry = struct<{ copied: boolean }>('entry', { copied: bool })
const Lock = struct<{ held: boolean }>('lock', { held: bool })

export default model({
  title: 'Copy-on-write faults of several CPUs on shared frames',
  params: { cpus: int(2, { min: 1, max: 4 }), frames: int(2, { min: 1, max: 4 }), lock: choice('on', 'off') },
  scenarios: {
    'cow-2-2': { expect: { verdict: 'pass', states: 256, transitions: 425 } },
    unlocked: { params: { lock: 'off' }, expect: 'assertion' },
  },
  machine(m, params) {
    const frames = m.array(Frame, params.frames, 'frame', { references: params.cpus })
    const tables = Array.from({ length: params.cpus }, (_, cpu) => m.array(Entry, params.frames, `cpu${cpu}.entry`))
    const lock = m.struct(Lock, 'lock')
    const isLocked = params.lock === 'on'
    const allCopied = (): boolean => tables.every((table) => table.every(({ copied }) => copied))
    let number = 0
    m.cpus(
      params.cpus,
      () => {
        const cpu = number++
        const table = tables[cpu] ?? []
        return function* fault() {
          for (;;) {
            const picked = yield* when(
              () => table.some(({ copied }) => !copied) || (cpu === 0 && allCopied() && !lock.held),
              () => {
                const left = table.flatMap(({ copied }, i) => (copied ? [] : [i]))
                if (left.length > 0) return left[m.choose(left.length)] ?? -1
                for (const frame of frames) {
                  m.assert(() => frame.references === 1, 'a frame whose copies are all made has one reference')
                  frame.references = params.cpus
                }
                for (const entries of tables) for (const entry of entries) entry.copied = false
                return -1
              },
            )
            const frame = frames[picked]
            const entry = table[picked]
            if (!frame || !entry) continue
            yield* when(
              () => !isLocked || !lock.held,
              () => {
                lock.held = isLocked
              },
            )
            const isLast = yield* atomically(() => {
              const last = frame.references === 1
              entry.copied = true
              return last
            })
            if (!isLast) {
              const count = yield* atomically(() => frame.references)
              yield* atomically(() => {
                frame.references = count - 1
              })
            }
            yield* atomically(() => {
              lock.held = false
            })
          }
        }
      },
      { endless: true },
    )
  },
})
