import test from 'ava'
import type { ExploreRequest } from '../../../src/session/request.ts'
import { parseSchedule } from '../../../src/trace/schedule.ts'
import { exploreFile, exploreText, modelText } from '../../harness/run.ts'

/** Executions that optimal dynamic partial-order reduction makes, as published. */
const PUBLISHED: readonly (readonly [path: string, setting: string, executions: number])[] = [
  ['readers', 'readers=2', 4],
  ['readers', 'readers=8', 256],
  ['lastzero', 'threads=5', 64],
  ['lastzero', 'threads=10', 3_328],
  ['indexer', 'threads=11', 1],
  ['indexer', 'threads=12', 8],
  ['indexer', 'threads=13', 64],
  ['filesystem', 'threads=14', 2],
  ['filesystem', 'threads=16', 8],
  ['filesystem', 'threads=18', 32],
  ['filesystem', 'threads=19', 64],
]

for (const [name, setting, executions] of PUBLISHED) {
  test(`dpor: ${name} with ${setting} takes ${executions} executions, as published`, async (t) => {
    const report = await exploreFile(`test/models/${name}.ts`, { strategy: 'dpor', settings: [setting] })
    t.deepEqual(
      [report.verdict, report.exhaustive, report.stats.executions, report.notes],
      ['pass', true, executions, []],
    )
  })
}

const DPOR: Partial<ExploreRequest> = { strategy: 'dpor' }

test('dpor: N threads that each take one lock once have N! executions', async (t) => {
  const text = (n: number): string =>
    modelText(
      `for (let i = 0; i < ${n}; i++) m.thread(function* taker() { yield* lock.acquire(); yield* lock.release() })`,
    )
  for (const [n, executions] of [
    [2, 2],
    [3, 6],
    [4, 24],
    [5, 120],
  ] as const)
    t.is((await exploreText(text(n), DPOR)).stats.executions, executions)
})

test('dpor refuses programs that do not end', async (t) => {
  const loop = (body: string, options = ''): string => modelText(`m.thread(function* a() { ${body} }${options})`)
  for (const text of [
    loop('for (;;) yield* pause()'),
    loop('for (;;) yield* atomically(() => { x.v = 1 - x.v })'),
    loop('for (;;) yield* pause()', ', { endless: true }'),
  ]) {
    await t.throwsAsync(exploreText(text, DPOR), { message: /dpor is for programs that end/ })
  }
})

test('every strategy finds the deadlock of wire.ts, and its schedule leads there', async (t) => {
  for (const strategy of ['dfs', 'dpor', 'random', 'pct'] as const) {
    const { verdict, violations, stats } = await exploreFile('models/wire.ts', { strategy, runs: 100_000, bugDepth: 4 })
    t.is(verdict, 'violation', strategy)
    t.is(violations[0]?.kind, 'deadlock')
    t.is(violations[0]?.waiting.length, 2)
    t.false(violations[0]?.minimal)
    t.is(stats.strategy, strategy)
    t.deepEqual(parseSchedule(violations[0]?.schedule_string ?? ''), violations[0]?.schedule)
  }
})

test('depth first finds the states, transitions and ends that breadth first does', async (t) => {
  for (const [path, scenario] of [
    ['models/wire.ts', 'fixed'],
    ['models/wire.ts', 'names-fixed'],
    ['models/serenity-zero.ts', undefined],
    ['test/models/bounded-buffer.ts', undefined],
  ] as const) {
    const request = { scenario: scenario ?? null, keepGoing: true, reduce: 'none' } as const
    const [bfs, dfs] = [await exploreFile(path, request), await exploreFile(path, { ...request, strategy: 'dfs' })]
    const counts = ({ stats }: typeof bfs): unknown => [stats.states, stats.transitions, stats.endStates]
    t.deepEqual(counts(dfs), counts(bfs), path)
    t.is(dfs.verdict, bfs.verdict)
  }
})

test('a seed makes random executions the same again, another one makes others', async (t) => {
  for (const strategy of ['random', 'pct'] as const) {
    const run = async (seed: number): Promise<unknown> => {
      const {
        stats: { seconds: _s, memoryBytes: _m, ...stats },
        ...rest
      } = await exploreFile('models/wire.ts', { scenario: 'fixed', strategy, seed, runs: 200 })
      return { stats, rest }
    }
    t.deepEqual(await run(7), await run(7), strategy)
    t.notDeepEqual(await run(7), await run(8), strategy)
  }
})

test('random executions that find nothing are inconclusive, and pct says what they are worth', async (t) => {
  const random = await exploreFile('models/wire.ts', { scenario: 'fixed', strategy: 'random', runs: 50 })
  t.deepEqual(
    [random.verdict, random.inconclusive?.reason, random.stats.executions, random.exhaustive],
    ['inconclusive', 'runs', 50, false],
  )
  const pct = await exploreFile('models/wire.ts', { scenario: 'fixed', strategy: 'pct', runs: 50, bugDepth: 2 })
  const [, actors, steps, once] =
    /among (\d+) actors in executions of at most (\d+) steps is met with a probability of at least ([\d.e-]+) an execution/.exec(
      pct.notes[0] ?? '',
    ) ?? []
  t.is(Number(once), Number((1 / (Number(actors) * Number(steps))).toPrecision(2)))
})

test('a bound on preemptions is inconclusive where it binds, and a pass where it does not', async (t) => {
  const taker = (steps: number): string => `m.thread(function* a() { ${'yield* pause(); '.repeat(steps)} })`
  const text = modelText(`${taker(2)}; ${taker(2)}`)
  for (const strategy of ['dfs', 'dpor'] as const) {
    const [bound, free] = [
      await exploreText(text, { strategy, preemptions: 0 }),
      await exploreText(text, { strategy, preemptions: 9 }),
    ]
    t.deepEqual([bound.verdict, bound.inconclusive?.reason], ['inconclusive', 'preemptions'])
    t.deepEqual([free.verdict, free.assumptions], ['pass', ['preemptions <= 9']])
  }
  for (const strategy of ['dfs', 'dpor', 'random', 'pct'] as const) {
    for (const preemptions of [0, 1]) {
      const { violations } = await exploreFile('models/mach-unwire.ts', { strategy, preemptions, runs: 200, seed: 1 })
      const made = violations.map(({ steps }) => steps.filter(({ why }) => why === 'preempted').length)
      t.true(
        made.every((count) => count <= preemptions),
        `${strategy}, ${preemptions}: ${made.join()}`,
      )
      t.is(violations.length, preemptions, strategy)
    }
  }
  const deadlock = (preemptions: number): Promise<string> =>
    exploreFile('models/wire.ts', { strategy: 'dfs', preemptions }).then(({ verdict }) => verdict)
  t.is(await deadlock(0), 'inconclusive')
  t.is(await deadlock(2), 'inconclusive')
  t.is(await deadlock(3), 'violation')
})

test('choices and failing allocations are explored by every strategy, and are in the schedule', async (t) => {
  const text = modelText(
    "const pool = m.pool(Cell, 2, 'f', { fallible: true }); m.thread(function* a() { const n = m.choose(3); const f = yield* atomically(() => pool.allocate()); m.assert(!(n === 2 && f === null), 'not both') })",
  )
  for (const strategy of ['bfs', 'dfs', 'dpor', 'random', 'pct'] as const) {
    const { violations } = await exploreText(text, { strategy, runs: 200 })
    t.is(violations[0]?.kind, 'assertion', strategy)
    t.deepEqual(
      violations[0]?.schedule.flatMap(({ choices }) => choices),
      [2, 1],
      strategy,
    )
  }
})

test('a property evaluated in every state is not passed by under dpor', async (t) => {
  const text = modelText(
    "for (const one of [x, y]) m.thread(function* a() { yield* atomically(() => { one.v = 1 }); yield* atomically(() => { one.v = 2 }) }); m.always('not both at one', () => !(x.v === 1 && y.v === 1))",
  )
  t.is((await exploreText(text, DPOR)).violations[0]?.kind, 'invariant')
  t.is((await exploreText(text, { reduce: 'por' })).violations[0]?.kind, 'invariant')
})

test('dpor refuses to wait for a condition on several fields, which reversing races one at a time may never meet', async (t) => {
  const toggling = (field: string): string =>
    `m.thread(function* toggles() { yield* atomically(() => { ${field}.v = 1 }); yield* atomically(() => { ${field}.v = 0 }) })`
  const both = modelText(
    `${toggling('x')}; ${toggling('y')}; m.thread(function* waits() { yield* when(() => x.v === 1 && y.v === 1); m.assert(false) }, { daemon: true })`,
  )
  const either = modelText(
    `${toggling('x')}; m.thread(function* ends() { yield* atomically(() => { y.v = 1 }) }); m.thread(function* waits() { const early = yield* when(() => y.v === 1 || x.v === 1, () => y.v === 0); m.assert(!early) })`,
  )
  for (const text of [both, either]) {
    for (const reduce of ['none', 'por'] as const)
      t.is((await exploreText(text, { reduce })).violations[0]?.kind, 'assertion')
    t.is((await exploreText(text, { strategy: 'dfs' })).violations[0]?.kind, 'assertion')
    await t.throwsAsync(exploreText(text, DPOR), {
      message: /dpor is not for programs that wait for a condition on several fields \([xy]\.v, [xy]\.v\)/,
    })
  }
  const one = modelText(
    `${toggling('x')}; m.thread(function* waits() { yield* when(() => x.v === 1); m.assert(false) }, { daemon: true })`,
  )
  t.is((await exploreText(one, DPOR)).violations[0]?.kind, 'assertion')
})

test('dpor refuses threads that share a CPU', async (t) => {
  await t.throwsAsync(
    exploreText(
      modelText(
        'const cpu = m.cpu(); for (let i = 0; i < 2; i++) m.thread(function* a() { yield* pause() }, { on: cpu })',
      ),
      DPOR,
    ),
    { message: /dpor is not for threads that share a CPU/ },
  )
})

test('dpor sees the race of a condition that never comes true with what others write plainly', async (t) => {
  const text = modelText(`m.thread(function* writer() { yield* atomically(() => { y.v = 1 }); x.v = 2 })
    m.thread(function* waiter() { yield* when(() => x.v === 1) })`)
  for (const strategy of ['bfs', 'dfs', 'dpor'] as const) {
    const { violations } = await exploreText(text, { strategy, check: ['data-race'] })
    t.deepEqual(
      violations.map(({ kind, property }) => [kind, property]),
      [['data-race', 'x.v']],
      strategy,
    )
  }
})
