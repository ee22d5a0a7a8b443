// Types of the public entries, as users rely on them: what must compile does, and what must not is marked. Checked by
// `npm run types`; nothing here is run.
import {
  type Instance,
  type StructType,
  atomically,
  bool,
  choice,
  int,
  model,
  oneOf,
  ref,
  struct,
  u4,
  when,
} from 'vmcheck'
import { checks } from 'vmcheck/checks'
import { defineConfig } from 'vmcheck/config'
import { type Report, explore, gate } from 'vmcheck/explore'
import { Mutex, WaitChannel } from 'vmcheck/vm'

/** Compiles only if both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never
const isSame = <A, B>(same: Same<A, B>): Same<A, B> => same

interface Page {
  wired: number
  busy: boolean
  kind: 'file' | 'anonymous'
  next: Instance<Page> | null
}
const Page: StructType<Page> = struct<Page>('page', {
  wired: u4,
  busy: bool,
  kind: oneOf('file', 'anonymous'),
  next: ref(() => Page),
})
// @ts-expect-error a field without a type
struct<{ a: number; b: number }>('short', { a: u4 })
// @ts-expect-error a field of another type
struct<{ a: number }>('wrong', { a: bool })

export default model({
  title: 'types',
  params: { count: int(2, { min: 1, max: 3 }), order: choice('same', 'opposite') },
  scenarios: {
    default: { params: { order: 'opposite' }, expect: 'deadlock' },
    // @ts-expect-error a value that the parameter does not take
    wrong: { params: { order: 'none' } },
  },
  machine(m, params) {
    isSame<typeof params.count, number>(true)
    isSame<typeof params.order, 'same' | 'opposite'>(true)
    const page = m.struct(Page, 'page', { kind: 'file' })
    // @ts-expect-error a value of another type
    m.struct(Page, 'other', { kind: 'swap' })
    const lock = new Mutex(m, 'lock', { tryable: true })
    // @ts-expect-error an option that there is not
    void new Mutex(m, 'wrong', { recursive: true })
    const channel = new WaitChannel(m, 'channel')
    m.cpus(
      params.count,
      () =>
        function* program() {
          const got = yield* lock.tryAcquire()
          isSame<typeof got, boolean>(true)
          const seen = yield* atomically(() => page.wired)
          isSame<typeof seen, number>(true)
          yield* when(
            () => page.next === null,
            () => {
              page.wired = seen
            },
          )
          yield* channel.wakeOne()
          // @ts-expect-error a field that there is not
          page.dirty = true
        },
    )
  },
})

export async function uses(): Promise<void> {
  const report = await explore('models/wire.ts', {
    scenario: 'fixed',
    reduce: 'none',
    onProgress: ({ states }) => void states,
  })
  isSame<typeof report, Report>(true)
  isSame<typeof report.verdict, 'pass' | 'violation' | 'inconclusive'>(true)
  // @ts-expect-error an option that there is not
  await explore('models/wire.ts', { granularty: 'access' })
  const { status } = await gate(['models'], { workers: 1 })
  isSame<typeof status, 0 | 1 | 2 | 3>(true)
  defineConfig({ search: { strategy: 'dfs' } })
  // @ts-expect-error a strategy that there is not
  defineConfig({ search: { strategy: 'lazy' } })
  isSame<(typeof checks)[number]['name'], string>(true)
}
