import test from 'ava'
import { exploreFile, exploreText, modelText } from '../harness/run.ts'

test('two CPUs with k independent steps have (k + 1)² states and 2k(k + 1) transitions', async (t) => {
  for (const k of [1, 2, 5, 9]) {
    const steps = Array.from({ length: k }, () => 'yield* pause()').join('; ')
    const { verdict, stats } = await exploreText(
      modelText(`m.thread(function* a() { ${steps} }); m.thread(function* b() { ${steps} })`),
    )
    t.is(verdict, 'pass')
    t.is(stats.states, (k + 1) ** 2)
    t.is(stats.transitions, 2 * k * (k + 1))
    t.is(stats.depth, 2 * k)
    t.is(stats.endStates, 1)
  }
})

test('plain accesses share a step; at access granularity each is one', async (t) => {
  const text = modelText(
    'm.thread(function* a() { x.v = 1; x.v = 2; x.v = 3 }); m.thread(function* b() { y.v = 1; y.v = y.v + 1 })',
  )
  t.is((await exploreText(text)).stats.states, 4)
  t.is((await exploreText(text, { granularity: 'access' })).stats.states, 16)
})

test('dining philosophers: 3^N - 1 states with forks released one at a time', async (t) => {
  const transitions = [10, 51, 212, 805, 2_910]
  for (let n = 2; n <= 6; n++) {
    const { stats, violations } = await exploreFile('test/models/philosophers.ts', {
      settings: [`n=${n}`],
      granularity: 'access',
      noCheck: ['stuck'],
    })
    t.is(stats.states, 3 ** n - 1)
    t.is(stats.transitions, transitions[n - 2] as number)
    t.deepEqual(violations, [])
    const found = await exploreFile('test/models/philosophers.ts', { settings: [`n=${n}`], granularity: 'access' })
    t.is(found.violations[0]?.kind, 'deadlock')
    t.is(found.violations[0]?.schedule.length, n)
    t.deepEqual(
      found.violations[0]?.stuck,
      Array.from({ length: n }, (_, i) => i),
    )
  }
})

test('dining philosophers at step granularity: 6, 14, 34, 82, 198 when eating is a point, 2^N when it is none', async (t) => {
  const series = [6, 14, 34, 82, 198]
  for (let n = 2; n <= 6; n++) {
    const eating = await exploreFile('test/models/philosophers.ts', {
      settings: [`n=${n}`, 'eats=true'],
      noCheck: ['stuck'],
    })
    t.is(eating.stats.states, series[n - 2] as number)
    const plain = await exploreFile('test/models/philosophers.ts', { settings: [`n=${n}`], noCheck: ['stuck'] })
    t.is(plain.stats.states, 2 ** n)
  }
})

test('bounded buffer with one condition variable: published states and shortest deadlocks', async (t) => {
  // producers, consumers, capacity, states, states on the shortest deadlock (0: none)
  const published = [
    [1, 1, 1, 4, 0],
    [1, 2, 1, 14, 7],
    [2, 1, 1, 22, 8],
    [2, 2, 1, 48, 8],
    [2, 2, 2, 30, 0],
  ] as const
  for (const [p, c, k, states, deadlock] of published) {
    const settings = [`producers=${p}`, `consumers=${c}`, `capacity=${k}`]
    const all = await exploreFile('test/models/bounded-buffer.ts', { settings, noCheck: ['stuck'] })
    t.is(all.stats.states, states, settings.join())
    const { verdict, violations } = await exploreFile('test/models/bounded-buffer.ts', { settings })
    t.is(verdict, deadlock === 0 ? 'pass' : 'violation')
    if (deadlock > 0) t.is(violations[0]?.schedule.length, deadlock, settings.join())
  }
})

for (const [file, scenarios] of [
  ['phil', ['phil-3', 'phil-5', 'phil-9', 'deadlock']],
  ['filter', ['filter-2', 'filter-3']],
  ['cow', ['cow-2-2', 'unlocked']],
  ['wire', ['wire-2-1', 'wire-3-1', 'wire-4-1', 'deadlock', 'deadlock-4-2']],
] as const) {
  test(`protocol ${file}: known counts and verdicts, no false alarm`, async (t) => {
    const { default: declared } = (await import(`../../bench/models/${file}.js`)) as {
      default: {
        scenarios: ReadonlyMap<
          string,
          { expect: string | { verdict: string; states?: number; transitions?: number; depth?: number } }
        >
      }
    }
    for (const scenario of scenarios) {
      const { expect } = declared.scenarios.get(scenario) as {
        expect: string | { verdict: string; states?: number; transitions?: number; depth?: number }
      }
      const expected = typeof expect === 'string' ? { verdict: expect } : expect
      const report = await exploreFile(`bench/models/${file}.ts`, { scenario })
      t.is(report.violations[0]?.kind ?? report.verdict, expected.verdict as never, scenario)
      if (expected.states !== undefined) t.is(report.stats.states, expected.states, scenario)
      if (expected.transitions !== undefined) t.is(report.stats.transitions, expected.transitions, scenario)
      if (expected.depth !== undefined) t.is(report.violations[0]?.schedule.length, expected.depth, scenario)
    }
  })
}
