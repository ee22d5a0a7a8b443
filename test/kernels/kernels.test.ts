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
  ['mach-transit', 'delete-wakeup', 'clear=assert'],
  ['mach-transit', 'delete-wakeup', 'clear=ignore'],
  ['mach-transit', 'copyout-front-clears-entry', 'copyoutClear=start'],
  ['mach-transit', 'copyout-front-waits-first', 'deleteCheck=after-clip'],
  ['mach-transit', 'copyout-front-twice-clears-entry', 'copyoutClear=start'],
  ['mach-wire-user', 'writer-recursive', 'userWire=plain'],
  ['mach-wire-user', 'fault-writer-transit', 'userWire=recursive'],
  ['mach-wire-user', 'pager-unlocked', 'userWire=recursive'],
  ['mach-unwire', 'unwire-transit', 'unwire=locked'],
  ['mach-unwire', 'free-transit', 'unwire=locked'],
  ['mach-unwire', 'wire-unwire-transit', 'unwire=locked'],
  ['mach-unwire', 'unwire-enter-transit', 'unwire=locked'],
  ['mach-unwire', 'unwire-delete-transit', 'parts=unmarked'],
  ['mach-unwire', 'unwire-delete-transit', 'parts=unwoken'],
  ['mach-unwire', 'unwire-wire-transit', 'parts=unmarked'],
  ['mach-unwire', 'unwire-wire-transit', 'parts=unwoken'],
  ['mach-transit', 'pageout-coalesce', 'copyoutExtends=private'],
  ['mach-wire-user', 'delete-transit', 'clear=ignore'],
  ['serenity-cow', 'freed-fixed', 'kernel=buggy'],
  ['serenity-cow', 'freed-recheck', 'kernel=buggy'],
  ['serenity-cow', 'one-unit-recheck', 'kernel=fixed'],
  ['serenity-cow', 'retry-1-together', 'kernel=recheck'],
  ['serenity-cow', 'fork-global-lock', 'kernel=hold'],
  ['serenity-cow', 'fork-two-pages-global-lock', 'kernel=hold'],
  ['serenity-cow', 'fork-overlap-global-lock', 'kernel=hold'],
  ['serenity-cow', 'stale-map-global-lock', 'kernel=hold'],
  ['serenity-zero', 'no-reason-fixed', 'zLock=off'],
  ['serenity-zero', 'retry-1-fixed', 'zLock=off'],
  ['serenity-zero', 'drawn-twice-fixed', 'zLock=off'],
  ['serenity-zero', 'drawn-twice-two-pages-fixed', 'zLock=off'],
  ['serenity-zero', 'unbacked-fixed', 'zLock=off'],
  ['serenity-zero', 'lost-update-fixed', 'zLock=off'],
  ['serenity-zero', 'drawn-twice-three-pages-fixed', 'zLock=off'],
  ['serenity-fork', 'commit-real', 'need=nonzero'],
  ['serenity-fork', 'commit-zero-real', 'need=all'],
  ['serenity-fork', 'commit-exact-real', 'need=nonzero'],
  ['serenity-fork', 'marked-zero-fixed', 'zMark=true'],
  ['serenity-fork', 'marked-lazy-fixed', 'zMark=true'],
  ['serenity-fork', 'marked-zero-read-only-fixed', 'zMark=true'],
  ['serenity-fork', 'marked-committed-fixed', 'zMark=true'],
  ['serenity-fork', 'child-exit-fixed', 'dtor=false'],
  ['serenity-fork', 'child-exit-one-store-fixed', 'dtor=false'],
  ['serenity-volatile', 'clone-fixed', 'clonePurged=false'],
  ['serenity-volatile', 'all-orders-fixed', 'clonePurged=false'],
  ['serenity-volatile', 'order-fixed', 'remaps=tables-first'],
  ['serenity-fork', 'sibling-fault-fixed', 'remaps=tables-first'],
  ['serenity-quickmap', 'table-window-last', 'tables=global'],
  ['serenity-quickmap', 'table-window-last', 'tables=global-last-unlocked'],
  ['serenity-quickmap', 'page-window-irq-on', 'pages=irq-on-plain'],
  ['serenity-quickmap', 'page-window-global-locked', 'pages=global-unlocked'],
  ['serenity-quickmap', 'roots-locked', 'insert=irq-off'],
  ['maestro-transaction', 'complement-all-fixes', 'without=savesOnce'],
  ['maestro-transaction', 'complement-all-fixes', 'deletesEagerly=true'],
  ['maestro-transaction', 'gap-fixed', 'without=skipDiscarded'],
  ['maestro-transaction', 'gap-blog-fixed', 'without=skipDiscarded'],
  ['maestro-transaction', 'map-fixed-fixed', 'without=remainder'],
  ['maestro-transaction', 'map-fixed-end-fixed', 'without=remainder'],
  ['maestro-transaction', 'protect-fixed', 'kernel=master'],
  ['maestro-protect', 'write-fixed', 'kernel=master'],
  ['maestro-protect', 'fork-fixed', 'kernel=master'],
  ['maestro-protect', 'sibling-fixed', 'kernel=before'],
  ['maestro-vmem', 'unlogged-reserved', 'reserves=false'],
  ['maestro-vmem', 'unlogged-removed', 'epoch=0da27b98'],
  ['maestro-vmem', 'rollback-removed', 'epoch=0da27b98'],
  ['maestro-vmem', 'unwrap-removed', 'epoch=0da27b98'],
  ['maestro-tlb', 'fork-fixed', 'epoch=before-0da27b98'],
  ['maestro-tlb', 'copy-buffer-fixed', 'epoch=before-0da27b98'],
  ['maestro-tlb', 'copy-buffer-fixed-again', 'epoch=5d98d94b'],
  ['maestro-bind', 'thread-switch-fixed', 'kernel=before'],
  ['maestro-bind', 'temporary-switch-fixed', 'kernel=before'],
  ['maestro-shootdown', 'faults-serve-waiting', 'kernel=master'],
  ['maestro-shootdown', 'one-mapping-serve-spinning', 'kernel=serve-waiting'],
  ['maestro-shootdown', 'one-mapping-unlock-serve-waiting', 'kernel=serve-waiting'],
  ['maestro-shootdown', 'one-mapping-unlock-serve-waiting', 'kernel=unlock'],
  ['maestro-shootdown', 'munmap-serve-spinning', 'kernel=serve-waiting'],
  ['maestro-shootdown', 'munmap-unlock', 'kernel=master'],
  ['maestro-shootdown', 'preempted-hold-unpreempted', 'kernel=master'],
  ['maestro-shootdown', 'munmap-serve-unpreempted', 'kernel=serve-spinning-hold-unpreempted'],
  ['maestro-oom', 'one-mapping-before-locks', 'tables=before-vmem'],
  ['maestro-oom', 'retry-fallible', 'fallible=no'],
  ['maestro-oom', 'cache-shrinks', 'cached=0'],
  ['maestro-oom', 'reclaim-before-vmem', 'tables=under-lock'],
  ['phoenix-mmap', 'merged-fixed', 'without=mmapFix'],
  ['phoenix-mmap', 'merged-fixed', 'without=putFix'],
  ['phoenix-mmap', 'merged-fixed', 'without=leakFix'],
  ['phoenix-mmap', 'merged-right-fixed', 'without=mmapFix'],
  ['phoenix-mmap', 'merged-both-fixed', 'without=mmapFix'],
  ['phoenix-mmap', 'own-entry-fixed', 'without=putFix'],
  ['phoenix-mmap', 'put-twice-fixed', 'without=putFix'],
  ['phoenix-mmap', 'uncleared-fixed', 'without=leakFix'],
  ['phoenix-mmap', 'no-entry-reserved', 'without=reserveFix'],
  ['phoenix-fork', 'half-fork-fixed', 'without=copyFix'],
  ['phoenix-fork', 'half-fork-fixed', 'without=refsFix'],
  ['phoenix-fork', 'half-fork-fixed', 'without=putFix'],
  ['phoenix-fork', 'amap-create-fixed', 'without=refsFix'],
  ['phoenix-fork', 'amap-create-mprotect-fixed', 'without=refsFix'],
  ['phoenix-fork', 'anon-copy-fixed', 'without=refsFix'],
  ['phoenix-fork', 'physmem-fixed', 'without=errFix'],
  ['phoenix-fork', 'physmem-mixed-fixed', 'without=errFix'],
  ['phoenix-fork', 'put-twice-fixed', 'without=putFix'],
  ['phoenix-fork', 'lost-page-fixed', 'without=anonFix'],
  ['phoenix-fork', 'lost-page-error-fixed', 'without=anonFix'],
  ['phoenix-fork', 'lost-page-error-fixed', 'without=protectFix'],
  ['phoenix-locks', 'anon-fixed', 'fixed=false'],
  ['phoenix-locks', 'object-fixed', 'fixed=false'],
  ['phoenix-vfork', 'wait-child-fixed', 'aliveCheck=false'],
  ['phoenix-vfork', 'wait-child-fixed', 'waiting=none', 'waiter=false'],
  ['phoenix-vfork', 'no-process-info-fixed', 'cloneFix=false'],
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
const TWICE = 'assertion: no page is put twice'
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

test('Phoenix mmap: each failing allocation of a merged mmap, kernel by kernel', async (t) => {
  const first = [ATOM, LEAK, PTE, REF]
  const second = [ATOM, UAF, LEAK, PTE, REF].toSorted()
  t.deepEqual(
    await points(
      'models/phoenix-mmap.ts',
      'merged-fixed',
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

test('Phoenix fork: each failing allocation of a fork, kernel by kernel', async (t) => {
  const before = [GONE, SOURCE, REF]
  const hang = [[...before], [SOURCE, REF], [], []]
  const freed = [[...before], [SOURCE, UAF, PTE, REF].toSorted(), [], []]
  const anon = [[GONE, SOURCE], [], [], []]
  const put = [[...before], [TWICE], [TWICE], []]
  t.deepEqual(
    await points(
      'models/phoenix-fork.ts',
      'half-fork',
      ['before', 'copy-fix', 'copy-refs-fix', 'after'],
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    ),
    [[[], [], [], []], hang, freed, freed, freed, anon, put, freed, freed, freed, anon, put],
  )
})

test('Phoenix fork: each failing allocation of a fork of physical memory', async (t) => {
  const silentFailure = ['at-rest: a failure is reported, and nothing else', 'at-rest: writes after a fork are private']
  t.deepEqual(
    await points(
      'models/phoenix-fork.ts',
      'half-fork',
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
    'complement',
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
  const rollback = await exploreFile('models/maestro-vmem.ts', { scenario: 'rollback-stale', keepGoing: true })
  t.deepEqual(found(rollback), ['at-rest: no translation is stale', 'at-rest: page tables map what the slots hold'])
})

test('a violation names the frame, its holders, the CPU and both translations', async (t) => {
  const message = async (path: string, scenario: string): Promise<string> =>
    (await exploreFile(path, { scenario })).violations[0]?.message ?? ''
  t.is(
    await message('models/maestro-bind.ts', 'thread-switch'),
    '"no stale translation after a shootdown" does not hold: TLB 1 may still translate page 0 of S to frame[0] (writable); the page table says nothing',
  )
  t.is(
    await message('models/serenity-cow.ts', 'freed'),
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
