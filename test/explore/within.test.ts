import test from 'ava'
import { exploreText, modelText } from '../harness/run.ts'

/** Two threads that count for ever, as far as `bound` goes. */
function counting(bound: string, more = ''): string {
  return modelText(
    `const g = m.struct(struct('g', { n: u4 }), 'g')
    ${bound}
    ${more}
    for (let i = 0; i < 2; i++) m.thread(function* counts() { for (;;) yield* atomically(() => { g.n++ }) }, { endless: true })`,
  )
}

const BOUND = "m.within('three turns', () => g.n <= 3)"

test('beyond a bound nothing is explored, no one is stuck, and the report says so', async (t) => {
  for (const reduce of ['none', 'symmetry', 'por', 'all'] as const) {
    for (const workers of [1, 2]) {
      const report = await exploreText(counting(BOUND), { reduce, workers })
      t.is(report.verdict, 'pass', report.violations[0]?.message)
      t.false(report.exhaustive)
      const within = report.assumed?.find(({ code }) => code === 'within')
      t.deepEqual(within, { code: 'within', properties: ['three turns'], states: 1 } as never)
      t.regex(report.assumptions.join(), /nothing is explored beyond “three turns”: 1 state lies there/)
      t.is(report.stats.endStates, 0)
    }
  }
  // the counter runs out of its range where nothing bounds it
  t.is((await exploreText(counting(''))).violations[0]?.kind, 'range')
})

test('a state beyond a bound is checked', async (t) => {
  const report = await exploreText(counting(BOUND, "m.always('small', () => g.n < 4)"))
  t.is(report.violations[0]?.property, 'small')
  t.is((await exploreText(counting(BOUND, "m.always('small', () => g.n < 5)"))).verdict, 'pass')
})

test('a trace does not lead through what lies beyond a bound', async (t) => {
  // the short way to b = 1 leads beyond the bound
  const text = modelText(
    `const s = m.struct(struct('s', { a: volatile(u4), b: volatile(u2) }), 's')
    m.within('a is small', () => s.a <= 2)
    m.thread(function* long() { for (let i = 0; i < 2; i++) s.a = i; yield* atomically(() => {}); yield* atomically(() => {}); s.b = 1 })
    m.thread(function* short() { s.a = 9; s.b = 1 })
    m.always('b is 0', () => s.b === 0)`,
  )
  for (const strategy of ['bfs', 'dfs'] as const) {
    const [violation] = (await exploreText(text, { strategy, reduce: 'none' })).violations
    t.deepEqual([...new Set(violation?.schedule.map(({ actor }) => actor))], [0])
  }
})

test('a bound that nothing reaches changes nothing', async (t) => {
  const body = 'm.cpus(2, () => function* adds() { yield* atomically(() => { x.v++ }) })'
  const [without, within] = await Promise.all(
    ['', "m.within('all', () => x.v < 9)"].map((bound) => exploreText(modelText(`${bound}\n${body}`))),
  )
  t.deepEqual(within?.stats.states, without?.stats.states)
  t.true(within?.exhaustive)
  t.deepEqual(within?.assumed, [])
})

test('a bound that means nothing is refused', async (t) => {
  const bounded = (holds: string, strategy: 'bfs' | 'dpor' = 'bfs') =>
    exploreText(modelText(`m.within('bound', () => ${holds})\nm.thread(function* a() { x.v = 1 })`), { strategy })
  await t.throwsAsync(bounded('x.v > 0'), { message: /does not hold in the initial state/ })
  await t.throwsAsync(bounded('"text"'), { message: /m\.within "bound" is neither true nor false/ })
  await t.throwsAsync(bounded('null.v'), { message: /m\.within "bound" is neither true nor false: it threw/ })
  await t.throwsAsync(bounded('true', 'dpor'), { message: /dpor cannot keep to m\.within/ })
})

test('a state is reached past one that lies beyond a bound, whatever the reduction', async (t) => {
  // each thread's step alone leads beyond, and not after the other's
  for (const first of ['a', 'b']) {
    const text = modelText(
      `const s = m.struct(struct('s', { a: u2, b: u2 }), 's')
      m.within('not ${first} alone', () => s.${first} === 0 || s.${first === 'a' ? 'b' : 'a'} === 1)
      m.thread(function* sets() { yield* atomically(() => { s.a = 1 }) })
      m.thread(function* also() { yield* atomically(() => { s.b = 1 }) })
      m.sometimes('both', () => s.a === 1 && s.b === 1)`,
    )
    for (const reduce of ['none', 'symmetry', 'por', 'all'] as const) {
      const report = await exploreText(text, { reduce })
      t.deepEqual([report.verdict, report.stats.states], ['pass', 4], `${first}, ${reduce}`)
      t.is(report.stats.reduction.includes('por'), false)
    }
  }
})
