import { readdirSync } from 'node:fs'
import test from 'ava'
import { bundle } from '../src/compile/bundle.ts'
import { load } from '../src/compile/load.ts'
import type { Report } from '../src/report/report.ts'
import { exploreFile } from './run.ts'

/** Scenarios with more states than this are left out. */
const MOST = 5_000

/** What a report says of the model, without what a reduction may change. */
function verdictOf({ verdict, violations, exhaustive }: Report): unknown {
  return { verdict, exhaustive, found: violations.map(({ kind, property }) => [kind, property]).toSorted() }
}

for (const name of readdirSync('models').filter((file) => file.endsWith('.ts'))) {
  test(`models/${name}: every scenario has its verdict under each reduction and under all`, async (t) => {
    const { model } = load(await bundle(`models/${name}`, process.cwd()))
    for (const [scenario, { large }] of model.scenarios) {
      if (large) continue
      const unreduced = await exploreFile(`models/${name}`, { scenario, reduce: 'none', keepGoing: true, limits: { maxStates: MOST, maxDepth: Infinity, time: Infinity, memory: 1e9 } })
      if (unreduced.inconclusive || unreduced.stats.states >= MOST) continue
      const plain = verdictOf(unreduced)
      for (const reduce of ['symmetry', 'por', 'all'] as const) {
        t.deepEqual(verdictOf(await exploreFile(`models/${name}`, { scenario, reduce, keepGoing: true })), plain, `${scenario}, ${reduce}`)
      }
    }
  })
}
