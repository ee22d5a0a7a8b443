// Small inputs that were judged wrongly once: the first line of each says what is right.
import { readdirSync } from 'node:fs'
import test from 'ava'
import { checksOf, onLiveCpus, replayOnce } from '../../src/session/live/replay.ts'
import type { ExploreRequest } from '../../src/session/request.ts'
import { bundle } from '../../src/bundle/bundle.ts'
import { load } from '../../src/runtime/load.ts'
import { Refusal } from '../../src/source/refusal.ts'
import { expectedVerdict } from '../../src/model/model.ts'
import type { Report } from '../../src/report/report.ts'
import { exploreFile, loadOnce, quiet } from '../harness/run.ts'

const FOLDER = 'test/models/verdicts'

/** What is refused, at every granularity and with every reduction that meets it. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'field-initializer.ts': /a program assigns "flag"/,
  'lock-set-own.ts': /lock\.readers is looked at/,
  'stamped.ts': /gives private fields to an object made outside of it/,
  'random.ts': /Math\.random is used/,
  'symmetry-declared-order.ts': /is declared interchangeable, but/,
}

const VARIANTS: readonly Partial<ExploreRequest>[] = [
  {},
  { workers: 2 },
  { granularity: 'access' },
  { reduce: 'none' },
  { reduce: 'none', granularity: 'access' },
  { reduce: 'por' },
  { reduce: 'all' },
  { strategy: 'dfs' },
  { strategy: 'dpor' },
]

/** Strategies that do not take every program say so. */
const NOT_FOR = /^dpor is (not )?for/

async function replayDifference(report: Report): Promise<unknown> {
  const [violation] = report.violations
  if (!violation || violation.kind === 'unreached') return null
  const native = load(await bundle(report.model.file, quiet.cwd, quiet.cache, 'native'))
  const replayable = {
    native,
    scenario: report.model.scenario,
    params: report.model.params,
    granularity: report.stats.granularity as 'step' | 'access',
    violation,
    checks: checksOf(report),
    isTold: true,
  }
  return (await onLiveCpus(replayable, quiet, (replay) => replayOnce(replay, replayable))).difference
}

for (const name of readdirSync(FOLDER)) {
  test(`judged rightly: ${name}`, async (t) => {
    const path = `${FOLDER}/${name}`
    const refused = REFUSED[name]
    if (refused) {
      const error = await t.throwsAsync(exploreFile(path), { instanceOf: Refusal, message: refused })
      t.is((error as Refusal).at?.file, path)
      return
    }
    for (const [scenario, { expect }] of (await loadOnce(path)).model.scenarios) {
      const replayed = new Set<string>()
      for (const variant of VARIANTS) {
        const shown = `${scenario} ${JSON.stringify(variant)}`
        const report = await exploreFile(path, { scenario, ...variant }).catch((error: Error) => {
          if (error instanceof Refusal && NOT_FOR.test(error.message)) return null
          throw error
        })
        if (report === null) continue
        t.is(report.violations[0]?.kind ?? report.verdict, expectedVerdict(expect), shown)
        const trace = JSON.stringify([report.stats.granularity, report.violations[0]])
        if (report.stats.strategy === 'bfs' && !replayed.has(trace)) t.is(await replayDifference(report), null, shown)
        replayed.add(trace)
      }
    }
  })
}

test('an endless actor that may spin stands under Assuming', async (t) => {
  const { verdict, assumed } = await exploreFile(`${FOLDER}/endless-spin.ts`)
  t.deepEqual([verdict, assumed], ['pass', [{ code: 'endless-spin', actors: ['e/0'] }]])
})

test('both accesses of a race have their places, also behind a choice', async (t) => {
  const { violations } = await exploreFile(`${FOLDER}/race-one-side.ts`)
  t.deepEqual(
    violations[0]?.accesses?.map(({ actor, access, at }) => [actor, access, at !== null]),
    [
      [0, 'write', true],
      [1, 'write', true],
    ],
  )
})
