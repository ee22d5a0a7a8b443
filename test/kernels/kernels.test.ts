import { readFile } from 'node:fs/promises'
import test from 'ava'
import { modelFiles } from '../../src/session/model-files.ts'
import { load } from '../../src/runtime/load.ts'
import { buildSystem } from '../../src/explore/state/system.ts'
import { type Expectation, expectedVerdict } from '../../src/model/model.ts'
import { resolveParameters } from '../../src/model/parameters.ts'
import type { Report } from '../../src/report/report.ts'
import { PAGE, withScenarios } from './kernels-page.ts'
import { exploreFile, loadOnce } from '../harness/run.ts'

const MODELS = await modelFiles('models', process.cwd())

/** What was found: kinds and properties, in order. */
function found(report: Report): string[] {
  return report.violations.map(({ kind, property }) => `${kind}: ${property}`).toSorted()
}

/** States of a scenario that is explored access by access, too, at most; there it has several times as many. */
const MAX_STATES = 4000

for (const path of MODELS) {
  test(`${path}: every scenario says its verdict and number of states, for the gate to compare`, async (t) => {
    const { model } = await loadOnce(path)
    for (const [scenario, { expect }] of model.scenarios)
      t.is(typeof (expect as Exclude<Expectation, string>).states, 'number', scenario)
  })

  test(`${path}: access by access, every scenario gives the same verdict and property`, async (t) => {
    const { model } = await loadOnce(path)
    for (const [scenario, { expect, large }] of model.scenarios) {
      const { verdict, property, states = 0 } = expect as Exclude<Expectation, string>
      if (large || states > MAX_STATES) continue
      const report = await exploreFile(path, { scenario, granularity: 'access' })
      t.is(report.violations[0]?.kind ?? report.verdict, verdict, scenario)
      if (property) t.is(report.violations[0]?.property, property, scenario)
    }
  })

  test(`${path}: has a buggy and a fixed scenario, and guards every machine against a vacuous pass`, async (t) => {
    const loaded = await loadOnce(path)
    const verdicts = [...loaded.model.scenarios.values()].map(({ expect }) => expectedVerdict(expect))
    t.true(verdicts.includes('pass') && verdicts.some((verdict) => verdict !== 'pass'))
    for (const [name, { params = {} }] of loaded.model.scenarios) {
      const { machine } = buildSystem(load(loaded.bundle), resolveParameters(loaded.model.parameters, params, []))
      t.true(
        machine.properties.some(({ form }) => form === 'sometimes'),
        name,
      )
    }
  })
}

/** Fixes taken out of fixed scenarios, one at a time. */
const REMOVED: readonly (readonly [path: string, scenario: string, ...settings: string[]])[] = [
  ['mach-transit', 's4-wake', 'clear=assert'],
  ['mach-transit', 's4-wake', 'clear=ignore'],
  ['mach-transit', 's10-entry-start', 'copyoutClear=start'],
  ['mach-transit', 's10-before-clip', 'deleteCheck=after-clip'],
  ['mach-transit', 's10-twice-entry-start', 'copyoutClear=start'],
  ['mach-wire-user', 's8-recursive', 'userWire=plain'],
  ['mach-wire-user', 's9-transit', 'userWire=recursive'],
  ['mach-wire-user', 's9b-unlocked', 'userWire=recursive'],
  ['mach-unwire', 's16-transit', 'unwire=locked'],
  ['mach-unwire', 's16-free-transit', 'unwire=locked'],
  ['mach-unwire', 's16-wire-unwire-transit', 'unwire=locked'],
  ['mach-unwire', 's16-three-transit', 'unwire=locked'],
  ['mach-unwire', 's16-free-beside', 'parts=unmarked'],
  ['mach-unwire', 's16-free-beside', 'parts=unwoken'],
  ['mach-unwire', 's16-wire-beside', 'parts=unmarked'],
  ['mach-unwire', 's16-wire-beside', 'parts=unwoken'],
  ['mach-transit', 'pageout-coalesce', 'copyoutExtends=private'],
  ['mach-wire-user', 's9-free', 'clear=ignore'],
  ['serenity-cow', 's1-fixed', 'kernel=buggy'],
  ['serenity-cow', 's1-recheck', 'kernel=buggy'],
  ['serenity-cow', 's1-unit-recheck', 'kernel=fixed'],
  ['serenity-cow', 's1-retry1-together', 'kernel=recheck'],
  ['serenity-cow', 's2-fixed', 'kernel=hold'],
  ['serenity-cow', 's2-two-fixed', 'kernel=hold'],
  ['serenity-cow', 's2-overlap-fixed', 'kernel=hold'],
  ['serenity-cow', 's2-stale-fixed', 'kernel=hold'],
  ['serenity-zero', 's3-fixed', 'zLock=off'],
  ['serenity-zero', 's3-retry1-fixed', 'zLock=off'],
  ['serenity-zero', 's9-fixed', 'zLock=off'],
  ['serenity-zero', 's9-two-fixed', 'zLock=off'],
  ['serenity-zero', 's9-backed-fixed', 'zLock=off'],
  ['serenity-zero', 's9-lost-fixed', 'zLock=off'],
  ['serenity-zero', 's9-pages-fixed', 'zLock=off'],
  ['serenity-fork', 's4-fixed', 'need=nonzero'],
  ['serenity-fork', 's4-zero-fixed', 'need=all'],
  ['serenity-fork', 's4-exact-real', 'need=nonzero'],
  ['serenity-fork', 's5-fixed', 'zMark=true'],
  ['serenity-fork', 's5-lazy-fixed', 'zMark=true'],
  ['serenity-fork', 's5-final-fixed', 'zMark=true'],
  ['serenity-fork', 's5-single-fixed', 'zMark=true'],
  ['serenity-fork', 's6-fixed', 'dtor=false'],
  ['serenity-fork', 's6-store-fixed', 'dtor=false'],
  ['serenity-volatile', 's7-fixed', 'clonePurged=false'],
  ['serenity-volatile', 's7-large-fixed', 'clonePurged=false'],
  ['serenity-volatile', 'order-fixed', 'remaps=tables-first'],
  ['serenity-fork', 'sibling-fault-fixed', 'remaps=tables-first'],
  ['serenity-quickmap', 's8-1-last', 'tables=global'],
  ['serenity-quickmap', 's8-1-last', 'tables=global-last-unlocked'],
  ['serenity-quickmap', 's8-2-irq-on', 'pages=irq-on-plain'],
  ['serenity-quickmap', 's8-2-global-locked', 'pages=global-unlocked'],
  ['serenity-quickmap', 's8-3-locked', 'insert=irq-off'],
  ['maestro-transaction', 's1-all-fixes', 'without=savesOnce'],
  ['maestro-transaction', 's1-all-fixes', 'deletesEagerly=true'],
  ['maestro-transaction', 's2-fixed', 'without=skipDiscarded'],
  ['maestro-transaction', 's2-blog-fixed', 'without=skipDiscarded'],
  ['maestro-transaction', 's3-fixed', 'without=remainder'],
  ['maestro-transaction', 's3-large-fixed', 'without=remainder'],
  ['maestro-transaction', 'protect-fixed', 'kernel=master'],
  ['maestro-protect', 's12-fixed', 'kernel=master'],
  ['maestro-protect', 's12-fork-fixed', 'kernel=master'],
  ['maestro-protect', 's12-sibling-fixed', 'kernel=before'],
  ['maestro-vmem', 's4a-reserved', 'reserves=false'],
  ['maestro-vmem', 's4a-e2', 'epoch=E1'],
  ['maestro-vmem', 's4b-e2', 'epoch=E1'],
  ['maestro-vmem', 's4c-e2', 'epoch=E1'],
  ['maestro-tlb', 's5-e1', 'epoch=E0'],
  ['maestro-tlb', 's6-e1', 'epoch=E0'],
  ['maestro-tlb', 's6-e5', 'epoch=E3'],
  ['maestro-bind', 's7a-fixed', 'kernel=before'],
  ['maestro-bind', 's7b-fixed', 'kernel=before'],
  ['maestro-shootdown', 's8-d1-r1', 'kernel=master'],
  ['maestro-shootdown', 's8-d2-r2', 'kernel=R1'],
  ['maestro-shootdown', 's8-d2-r1-r3', 'kernel=R1'],
  ['maestro-shootdown', 's8-d2-r1-r3', 'kernel=R3'],
  ['maestro-shootdown', 's8-d3-r2', 'kernel=R1'],
  ['maestro-shootdown', 's8-d3-r3', 'kernel=master'],
  ['maestro-shootdown', 's8-d4-r4', 'kernel=master'],
  ['maestro-shootdown', 's8-d3-r2-r4-r5', 'kernel=R2+R4'],
  ['maestro-oom', 's11c-mapping-fixed', 'tables=before-vmem'],
  ['maestro-oom', 's11a-fallible', 'fallible=no'],
  ['maestro-oom', 's11b-cached', 'cached=0'],
  ['maestro-oom', 's11c-fixed', 'tables=under-lock'],
  ['phoenix-mmap', 's1-fixed', 'without=mmapFix'],
  ['phoenix-mmap', 's1-fixed', 'without=putFix'],
  ['phoenix-mmap', 's1-fixed', 'without=leakFix'],
  ['phoenix-mmap', 's1-right-fixed', 'without=mmapFix'],
  ['phoenix-mmap', 's1-both-fixed', 'without=mmapFix'],
  ['phoenix-mmap', 's1-near-fixed', 'without=putFix'],
  ['phoenix-mmap', 's6-fixed', 'without=putFix'],
  ['phoenix-mmap', 's7-fixed', 'without=leakFix'],
  ['phoenix-mmap', 's9-fixed', 'without=reserveFix'],
  ['phoenix-fork', 's2-after', 'without=copyFix'],
  ['phoenix-fork', 's2-after', 'without=refsFix'],
  ['phoenix-fork', 's2-after', 'without=putFix'],
  ['phoenix-fork', 's3-fixed', 'without=refsFix'],
  ['phoenix-fork', 's3-living-fixed', 'without=refsFix'],
  ['phoenix-fork', 's4-fixed', 'without=refsFix'],
  ['phoenix-fork', 's5-fixed', 'without=errFix'],
  ['phoenix-fork', 's5-large-fixed', 'without=errFix'],
  ['phoenix-fork', 's6-fork-fixed', 'without=putFix'],
  ['phoenix-fork', 's8-fixed', 'without=anonFix'],
  ['phoenix-fork', 's8-large-fixed', 'without=anonFix'],
  ['phoenix-fork', 's8-large-fixed', 'without=protectFix'],
  ['phoenix-locks', 's12-fixed', 'fixed=false'],
  ['phoenix-locks', 's12-object-fixed', 'fixed=false'],
  ['phoenix-vfork', 's14-v3', 'aliveCheck=false'],
  ['phoenix-vfork', 's14-v3', 'waiting=none', 'waiter=false'],
  ['phoenix-vfork', 's14-clone-fixed', 'cloneFix=false'],
]

test('without any one of its fixes a fixed scenario fails again', async (t) => {
  for (const [model, scenario, ...settings] of REMOVED) {
    const path = `models/${model}.ts`
    t.is((await exploreFile(path, { scenario })).verdict, 'pass', `${path} ${scenario}`)
    t.is(
      (await exploreFile(path, { scenario, settings })).verdict,
      'violation',
      `${path} ${scenario} ${settings.join(' ')}`,
    )
  }
})

const [ATOM, LEAK, PTE, REF, UAF] = [
  'at-rest: a failing mmap changes nothing',
  'at-rest: nothing is leaked',
  'at-rest: page tables map what the slots hold',
  'at-rest: references are counted',
  'at-rest: no page table leads to a free frame',
]
const TWICE = 'assertion: nothing is put twice'
const [GONE, SOURCE] = [
  'at-rest: a failed fork leaves nothing of the child',
  'at-rest: a failed fork leaves the parent as it was',
]

/** What each failing allocation leads to, by kernel. */
async function points(
  path: string,
  scenario: string,
  kernels: readonly string[],
  failing: readonly number[],
  settings: readonly string[] = [],
): Promise<string[][][]> {
  const rows: string[][][] = []
  for (const point of failing) {
    const row: string[][] = []
    for (const kernel of kernels) {
      row.push(
        found(
          await exploreFile(path, {
            scenario,
            settings: [...settings, `kernel=${kernel}`, `failing=${point}`],
            keepGoing: true,
            noCheck: ['unreached'],
          }),
        ),
      )
    }
    rows.push(row)
  }
  return rows
}

test('Phoenix S1: each failing allocation of a merged mmap, kernel by kernel', async (t) => {
  const first = [ATOM, LEAK, PTE, REF]
  const second = [ATOM, UAF, LEAK, PTE, REF].toSorted()
  t.deepEqual(
    await points(
      'models/phoenix-mmap.ts',
      's1-fixed',
      ['before', 'mmap-fix', 'after', 'leak-fix'],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ),
    [
      [first, [], [], []],
      [first, [LEAK], [LEAK], []],
      [first, [], [], []],
      [first, [TWICE], [], []],
      [second, [], [], []],
      [second, [LEAK], [LEAK], []],
      [second, [], [], []],
      [second, [TWICE], [], []],
    ],
  )
})

test('Phoenix S2: each failing allocation of a fork, kernel by kernel', async (t) => {
  const before = [GONE, SOURCE, REF]
  const hang = [[...before], [SOURCE, REF], [], []]
  const freed = [[...before], [SOURCE, UAF, PTE, REF].toSorted(), [], []]
  const anon = [[GONE, SOURCE], [], [], []]
  const put = [[...before], [TWICE], [TWICE], []]
  t.deepEqual(
    await points(
      'models/phoenix-fork.ts',
      's2-before',
      ['before', 'copy-fix', 'copy-refs-fix', 'after'],
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    ),
    [[[], [], [], []], hang, freed, freed, freed, anon, put, freed, freed, freed, anon, put],
  )
})

test('Phoenix S5: each failing allocation of a fork of physical memory', async (t) => {
  const silentFailure = ['at-rest: a failure is reported, and nothing else', 'at-rest: writes after a fork are private']
  t.deepEqual(
    await points(
      'models/phoenix-fork.ts',
      's2-before',
      ['without-err-fix', 'after'],
      [1, 2, 3, 4, 5, 6],
      ['layout=physmem'],
    ),
    [
      [[], []],
      [[], []],
      [silentFailure, []],
      [silentFailure, []],
      [silentFailure, []],
      [silentFailure, []],
    ],
  )
})

test('Maestro S1: the failures 9 to 13 of 13 break an unmapping whose complement is overwritten', async (t) => {
  const bad = ['at-rest: a call that fails changes nothing', 'at-rest: gaps and mappings tile the address space']
  const rows = await points(
    'models/maestro-transaction.ts',
    's1',
    ['blog', 'fixed-complement'],
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
  )
  t.deepEqual(
    rows,
    rows.map((_, i) => [i >= 8 && i < 13 ? bad : [], []]),
  )
  t.is(
    (await exploreFile('models/maestro-transaction.ts', { settings: ['failing=14'], keepGoing: true })).violations[0]
      ?.property,
    'an allocation fails',
    'there are only 13',
  )
})

test('SerenityOS: what else one search finds', async (t) => {
  const split = await exploreFile('models/serenity-cow.ts', {
    settings: ['noReason=tolerate', 'splitRef=true'],
    keepGoing: true,
  })
  t.deepEqual(found(split), [
    'assertion: a free frame gets no reference',
    'assertion: no store lands in a free frame',
    'at-rest: every store is in the page',
  ])
  const rollback = await exploreFile('models/maestro-vmem.ts', { scenario: 's4b', keepGoing: true })
  t.deepEqual(found(rollback), ['at-rest: nothing stale is cached', 'at-rest: page tables map what the slots hold'])
})

test('a violation names the frame, its holders, the CPU and both translations', async (t) => {
  const message = async (path: string, scenario: string): Promise<string> =>
    (await exploreFile(path, { scenario })).violations[0]?.message ?? ''
  t.is(
    await message('models/maestro-bind.ts', 's7a'),
    '"no stale translation after a shootdown" does not hold: TLB 1 may still translate page 0 of S to frame[0] (writable); the page table says nothing',
  )
  t.is(
    await message('models/serenity-cow.ts', 's1'),
    '"no store lands in a free frame" does not hold: CPU 1, storing to page 0 of parent, reaches frame[2], which is free',
  )
  const counted = await exploreFile('models/phoenix-fork.ts', {
    settings: ['kernel=copy-fix', 'failing=2'],
    keepGoing: true,
    noCheck: ['unreached'],
  })
  t.is(
    counted.violations.find(({ property }) => property === 'references are counted')?.message,
    '"references are counted" does not hold at rest: anon[0] counts 2, and is held by page 1 of P [1,3)',
  )
})

test('docs/kernels.md shows the scenarios as they are, of every model', async (t) => {
  const page = await readFile(PAGE, 'utf8')
  t.is(page, await withScenarios(page), 'run npm run kernels')
  for (const path of MODELS) t.true(page.includes(`<!-- ${path} -->`), path)
})
