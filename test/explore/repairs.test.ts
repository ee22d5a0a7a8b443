import test from 'ava'
import { exploreText, modelText } from '../harness/run.ts'

async function kindOf(machine: string, outside = ''): Promise<string> {
  const { verdict, violations } = await exploreText(modelText(machine, outside))
  return violations[0]?.kind ?? verdict
}

test('a ghost read before the first access sees the initial values, at its own time', async (t) => {
  t.is(
    await kindOf('x.v = 1; m.thread(function* a() { m.assert(() => x.v === 0, "zero"); yield* pause() })'),
    'assertion',
  )
  t.is(
    await kindOf(
      'x.v = 1; m.thread(function* a() { const seen = m.ghost(() => x.v); yield* pause(); m.assert(seen === 1, "one") })',
    ),
    'pass',
  )
})

test('a ghost read after a release does not belong to the released section', async (t) => {
  const outside = 'const V = struct<{ v: number }>("v", { v: volatile(u4) })'
  const machine = `const f = m.struct(V, 'f')
    m.thread(function* a() { yield* lock.acquire(); x.v = 1; yield* lock.release(); m.assert(() => f.v === 0, 'not yet') })
    m.thread(function* b() { yield* lock.acquire(); const go = x.v; yield* lock.release(); if (go) f.v = 1 })`
  t.is(await kindOf(machine, outside), 'assertion')
})

test('invariants are due when a tryable lock is released, and not at an inner release', async (t) => {
  t.is(
    await kindOf(
      "const l = new Mutex(m, 'l', { tryable: true }); m.invariant('x is 0', () => x.v === 0, { whenFree: l }); m.thread(function* a() { yield* l.acquire(); x.v = 1; yield* l.release() })",
    ),
    'invariant',
  )
  t.is(
    await kindOf(
      "const l = new SleepLock(m, 'l'); m.invariant('x is y', () => x.v === y.v, { whenFree: l }); m.thread(function* a() { yield* l.write(); yield* l.setRecursive(); x.v = 1; yield* l.write(); yield* l.release(); y.v = 1; yield* l.clearRecursive(); yield* l.release() })",
    ),
    'pass',
  )
})

test('readOnce of a plain field, and a free against a condition on the instance, are races', async (t) => {
  t.is(
    await kindOf(
      'm.thread(function* a() { yield* lock.acquire(); x.v = 1; x.v = 2; yield* lock.release() }); m.thread(function* b() { yield* readOnce(() => x.v) })',
    ),
    'data-race',
  )
  t.is(
    await kindOf(
      "const p = m.pool(Cell, 1, 'p'); const o = p.allocate({ v: 1 }); m.thread(function* a() { yield* lock.acquire(); p.free(o); p.allocate({ v: 1 }); yield* lock.release() }); m.thread(function* b() { yield* when(() => o.v === 1) })",
    ),
    'use-after-free',
  )
})

test('what an effect throws is a violation that the program cannot catch', async (t) => {
  t.is(
    await kindOf(
      "m.thread(function* a() { try { yield* atomically(() => { throw new Error('no') }) } catch { return } })",
    ),
    'exception',
  )
})

test('a trace is a path also where levels have edges within them', async (t) => {
  const step = (name: string, by: number): string =>
    `m.thread(function* ${name}() { for (;;) yield* when(() => x.v < 8, () => { x.v += ${by} }) }, { daemon: true })`
  const { violations } = await exploreText(
    modelText(`${step('two', 2)}; ${step('one', 1)}; m.always('not five', () => x.v !== 5)`),
  )
  t.deepEqual(violations[0]?.schedule.map(({ actor }) => 2 - actor).toSorted(), [1, 2, 2])
  t.deepEqual(
    violations[0]?.steps.at(-1)?.changes.map(({ to }) => to),
    [5],
  )
})

test('one state may have more successors than the first table has room for', async (t) => {
  const outside = 'const W = struct<{ v: number }>("w", { v: range(0, 100_000) })'
  const text = modelText(
    "const w = m.struct(W, 'w'); m.thread(function* a() { yield* atomically(() => { w.v = m.choose(90_000) }) })",
    outside,
  ).replace('import { atomically,', 'import { range, atomically,')
  const { verdict, stats } = await exploreText(text)
  t.is(verdict, 'pass')
  t.is(stats.states, 90_001)
})

test('a violation beside a bound is still reported with its trace', async (t) => {
  const outside = 'const W = struct<{ v: number }>("w", { v: range(0, 60_000) })'
  const text = modelText(
    "const w = m.struct(W, 'w'); m.thread(function* a() { for (;;) yield* atomically(() => { w.v = (w.v + 1) % 60_000 }) }, { endless: true }); m.always('not five', () => w.v !== 5)",
    outside,
  ).replace('import { atomically,', 'import { range, atomically,')
  const { verdict, violations } = await exploreText(text, {
    keepGoing: true,
    limits: { maxStates: 3000, maxDepth: Infinity, time: Infinity, memory: 4e9 },
  })
  t.is(verdict, 'violation')
  t.is(violations[0]?.schedule.length, 5)
})

test('a property whose check is off is not called unreached', async (t) => {
  const text = modelText(
    "m.atRest('fine', () => true); m.always('fine too', () => true); m.thread(function* a() { yield* pause() })",
  )
  t.is((await exploreText(text, { noCheck: ['at-rest'] })).verdict, 'pass')
  t.is((await exploreText(text, { noCheck: ['invariant'] })).verdict, 'pass')
})
