import test from 'ava'
import { bundle } from '../../../src/bundle/bundle.ts'
import { load } from '../../../src/runtime/load.ts'
import { exploreInline } from '../../harness/inline.ts'
import { essence, exploreFile, exploreText, modelText } from '../../harness/run.ts'

test('without the step table the same states, transitions and movements are found', async (t) => {
  for (const [path, params] of [
    ['bench/models/filter.ts', { n: 3 }],
    ['bench/models/cow.ts', { cpus: 2, frames: 2, lock: 'on' }],
    ['test/models/bounded-buffer.ts', { producers: 2, consumers: 2, capacity: 1 }],
  ] as const) {
    const bundled = await bundle(path, process.cwd())
    for (const granularity of ['step', 'access'] as const) {
      const [table, direct] = [
        exploreInline(load(bundled), granularity, [], params),
        exploreInline(load(bundled), granularity, [], params, { patience: -1 }),
      ]
      t.is(direct.states, table.states)
      t.is(direct.transitions, table.transitions)
      table.sweep()
      direct.sweep()
      const moves = ({ engine, indices }: typeof table): number[] =>
        [...indices()].map((index) => engine.stateWords.get(index)).toSorted((a, b) => a - b)
      t.deepEqual(moves(direct), moves(table))
      t.true(direct.engine.table.executed >= direct.transitions)
    }
  }
})

test('recording stops at a label whose records are almost never reused, and its steps are executed', async (t) => {
  const outside = 'const W = struct<{ v: number; w: number }>("w", { v: range(0, 4_000), w: range(0, 4_000) })'
  const text = modelText(
    'const w = m.struct(W, "w"); for (const name of ["a", "b"]) m.thread(function* count() { for (let i = 0; i < 5; i++) yield* atomically(() => { const was = w.v; w.v = (was * 7 + w.w + (name === "a" ? 1 : 2)) % 4_001; w.w = was }) })',
    outside,
  ).replace('import { atomically,', 'import { range, atomically,')
  const [table, given] = [
    await exploreText(text, { profile: true }),
    await exploreText(text, { profile: true, tuning: { patience: 20 } }),
  ]
  t.deepEqual(essence({ ...given, profile: undefined as never }), essence({ ...table, profile: undefined as never }))
  t.true((given.profile?.executed ?? 0) > (table.profile?.executed ?? 0))
})

test('all alternatives of a choice survive where steps are not recorded', async (t) => {
  const outside = 'const W = struct<{ v: number }>("w", { v: range(0, 30_000) })'
  const text = modelText(
    "const w = m.struct(W, 'w'); m.thread(function* a() { yield* atomically(() => { w.v = m.choose(20_000) }) })",
    outside,
  ).replace('import { atomically,', 'import { range, atomically,')
  t.is((await exploreText(text, { tuning: { patience: -1 } })).stats.states, 20_001)
})

test('what steps take in the table counts as memory', async (t) => {
  const { stats } = await exploreFile('models/wire.ts', { scenario: 'names-fixed' })
  t.true(stats.memoryBytes - stats.states * stats.bytesPerState > 200_000)
  const { verdict, inconclusive } = await exploreFile('models/wire.ts', {
    scenario: 'names',
    limits: { maxStates: Infinity, maxDepth: Infinity, time: Infinity, memory: 3e6 },
  })
  t.is(verdict, 'inconclusive')
  t.is(inconclusive?.reason, 'memory')
})
