import { readdirSync } from 'node:fs'
import test from 'ava'
import type { Report } from '../../src/report/report.ts'
import { exploreFile, loadOnce } from '../harness/run.ts'

/** Scenarios with more states than this are left out. */
const MOST = 5_000

/** What a report says of the model, without what a reduction may change. */
function verdictOf({ verdict, violations, exhaustive }: Report): unknown {
  return { verdict, exhaustive, found: violations.map(({ kind, property }) => [kind, property]).toSorted() }
}

for (const name of readdirSync('models').filter((file) => file.endsWith('.ts'))) {
  test(`models/${name}: every scenario has its verdict under each reduction and under all`, async (t) => {
    const { model } = await loadOnce(`models/${name}`)
    for (const [scenario, { large }] of model.scenarios) {
      if (large) continue
      const unreduced = await exploreFile(`models/${name}`, {
        scenario,
        reduce: 'none',
        keepGoing: true,
        limits: { maxStates: MOST, maxDepth: Infinity, time: Infinity, memory: 1e9 },
      })
      if (unreduced.inconclusive || unreduced.stats.states >= MOST) continue
      const plain = verdictOf(unreduced)
      const reduced = async (reduce: 'symmetry' | 'por' | 'all'): Promise<readonly string[]> => {
        const report = await exploreFile(`models/${name}`, { scenario, reduce, keepGoing: true })
        t.deepEqual(verdictOf(report), plain, `${scenario}, ${reduce}`)
        return report.stats.reduction
      }
      // where nothing is interchangeable, symmetry is the search without reductions, and all is partial order
      if (!(await reduced('all')).includes('symmetry')) continue
      await reduced('symmetry')
      await reduced('por')
    }
  })
}

test('three interchangeable CPUs that wire pages of their own: what each reduction gives', async (t) => {
  const count = async (reduce: 'none' | 'symmetry' | 'por' | 'all'): Promise<number> =>
    (await exploreFile('test/models/map-cycle.ts', { settings: ['rounds=8'], reduce })).stats.states
  const [none, symmetry, por, all] = [
    await count('none'),
    await count('symmetry'),
    await count('por'),
    await count('all'),
  ]
  t.deepEqual([none, symmetry, por, all], [74_088, 13_244, 10_600, 1_980])
  t.true(none >= 5.5 * symmetry && none >= 10 * all)
})

test('one report under all reductions, whatever the workers', async (t) => {
  for (const [path, settings] of [
    ['test/models/map-cycle.ts', ['rounds=4']],
    ['models/wire.ts', ['workload=names-1', 'kernel=fixed']],
  ] as const) {
    const reports = []
    for (const workers of [1, 2])
      reports.push(
        await exploreFile(path, {
          settings,
          reduce: 'all',
          keepGoing: true,
          workers,
          tuning: { narrow: 8, worthThreads: 0 },
        }),
      )
    const [one, two] = reports.map(({ stats: { states, transitions, depth, endStates }, violations }) => ({
      states,
      transitions,
      depth,
      endStates,
      violations,
    }))
    t.deepEqual(one, two, path)
  }
})
