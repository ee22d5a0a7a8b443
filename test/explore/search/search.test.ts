import { readFileSync } from 'node:fs'
import { platform, totalmem } from 'node:os'
import test from 'ava'
import type { Tuning } from '../../../src/explore/store/tuning.ts'
import type { Report } from '../../../src/report/report.ts'
import { essence, exploreFile, exploreText, modelText } from '../../harness/run.ts'

/** Sizes so small that every growth, hand-over and fallback happens on small models. */
const SMALL: Tuning = {
  narrow: 8,
  worthThreads: 0,
  slice: 5,
  firstCapacity: 1 << 11,
  segmentBits: 11,
  firstWidth: 1,
  mostSpare: 0,
  patience: 4096,
  sleepSets: true,
  localCapacity: { states: 1 << 16, words: 1 << 20 },
}

const EXAMPLES: readonly (readonly [path: string, scenario: string, settings?: readonly string[]])[] = [
  ['models/wire.ts', 'deadlock'],
  ['models/wire.ts', 'names-fixed'],
  ['models/serenity-cow.ts', 'freed'],
  ['models/maestro-bind.ts', 'thread-switch'],
  ['models/phoenix-fork.ts', 'half-fork-destroyed'],
  ['bench/models/phil.ts', 'phil-9'],
  ['bench/models/wire.ts', 'wire-4-2'],
  ['bench/models/cow.ts', 'cow-2-2', ['cpus=3', 'frames=3']],
  ['bench/models/readers.ts', 'readers-6'],
  ['bench/models/ring.ts', 'ring-6', ['n=9']],
]

for (const [path, scenario, settings = []] of EXAMPLES) {
  test(`${path}, ${scenario}: one report, whatever the sizes, workers and tables`, async (t) => {
    const plain = essence(await exploreFile(path, { scenario, settings, workers: 1 }))
    for (const workers of [1, 2, 3]) {
      t.deepEqual(
        essence(await exploreFile(path, { scenario, settings, workers, tuning: SMALL })),
        plain,
        `small, ${workers} workers`,
      )
    }
    t.deepEqual(
      essence(await exploreFile(path, { scenario, settings, workers: 2, tuning: { ...SMALL, patience: 40 } })),
      plain,
      'labels given up',
    )
    t.deepEqual(
      essence(await exploreFile(path, { scenario, settings, workers: 1, tuning: { patience: -1 } })),
      plain,
      'without a step table',
    )
    t.deepEqual(
      essence(await exploreFile(path, { scenario, settings, workers: 2, tuning: { ...SMALL, sleepSets: false } })),
      plain,
      'without sleep sets',
    )
  })
}

test('fields of 31 and 32 bits, and values beyond 2^31 that a virtual point keeps', async (t) => {
  const outside =
    'const W = struct<{ bit: number; v: number; w: number; k: number }>("w", { bit: u(1), v: volatile(u(32)), w: u(31), k: volatile(u(1)) })'
  const imports = ['import { atomically,', 'import { u, atomically,'] as const
  const text = modelText(
    'const w = m.struct(W, "w", { v: 0xfffffff0, w: 0x7ffffff0 }); for (let i = 0; i < 2; i++) m.thread(function* a() { for (let j = 0; j < 3; j++) { const was = w.v; w.k = was > 0x80000000 ? 1 : 0; yield* atomically(() => { w.w = (w.w + 1) % 0x7ffffff3 }); m.assert(was === 0xfffffff0, "as it was") } })',
    outside,
  ).replace(...imports)
  for (const granularity of ['step', 'access'] as const) {
    const plain = essence(await exploreText(text, { granularity }))
    t.is((plain as Report).verdict, 'pass')
    for (const tuning of [{ ...SMALL, patience: -1 }, SMALL])
      for (const workers of [1, 2])
        t.deepEqual(essence(await exploreText(text, { granularity, workers, tuning })), plain)
  }
})

test('a process that has searched often can still start others: what it reserved is given back', async (t) => {
  const status = (): string => readFileSync('/proc/self/status', 'latin1')
  if (platform() !== 'linux') return t.pass()
  for (let i = 0; i < 40; i++) await exploreFile('models/phoenix-vfork.ts', { tuning: { segmentBits: 20 } })
  t.true(Number(/^VmSize:\s*(\d+)/m.exec(status())?.[1]) * 1024 < totalmem())
})
