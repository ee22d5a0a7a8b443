import test from 'ava'
import { exploreFile, exploreText, modelText } from '../harness/run.ts'

test('a lost update: the preemption between reading and writing is essential', async (t) => {
  const { violations } = await exploreText(
    modelText(`
  m.cpus(2, () => function* increment() {
    const read = yield* when(() => true, () => x.v)
    yield* when(() => true, () => { x.v = read + 1 })
  })
  m.atRest('both count', () => x.v === 2)`),
    { explain: true },
  )
  const [preemption, ...others] = violations[0]?.preemptions ?? []
  t.deepEqual(others, [])
  t.is(preemption?.verdict, 'essential')
  t.is(preemption?.scope, 'place')
  t.is(preemption?.within, 'increment')
})

test('a preemption that only moves is incidental; a window of two places is essential as a function', async (t) => {
  const { violations } = await exploreText(
    modelText(`
  function* section() {
    yield* when(() => true, () => { x.v = 1 })
    yield* when(() => true, () => { y.v += 1 })
    yield* when(() => true, () => { x.v = 0 })
  }
  m.thread(function* writer() { yield* section(); yield* pause() })
  m.thread(function* reader() {
    yield* pause()
    yield* when(() => true, () => { m.assert(x.v === 0, 'nobody sees the section') })
  })`),
    { explain: true },
  )
  const found = violations[0]?.preemptions ?? []
  t.deepEqual(
    found.map(({ verdict, scope, within }) => [verdict, scope, within]),
    [['essential', 'function', 'section']],
  )
})

test('without a preemption there is nothing to explain', async (t) => {
  const { violations } = await exploreText(
    modelText(`
  m.thread(function* a() { yield* when(() => true, () => { m.assert(false, 'no') }) })`),
    { explain: true },
  )
  t.deepEqual(violations[0]?.preemptions, [])
})

test('what only the finished graph shows is undecided', async (t) => {
  const { violations } = await exploreText(
    modelText(`
  m.thread(function* a() { yield* pause(); yield* pause(); for (;;) { yield* pause(); if ((yield* when(() => true, () => y.v)) === 1) break } })
  m.thread(function* b() { yield* pause(); for (;;) { yield* pause(); if ((yield* when(() => true, () => y.v)) === 1) break } })`),
    { explain: true },
  )
  t.is(violations[0]?.kind, 'livelock')
  t.true((violations[0]?.preemptions ?? []).every(({ verdict }) => verdict === 'undecided'))
})

test('models/wire.ts: the walk without the lock is the window; faults inside are not', async (t) => {
  const { violations } = await exploreFile('models/wire.ts', { explain: true })
  const found = (violations[0]?.preemptions ?? []).map(({ step, within, verdict }) => [step, within, verdict])
  t.deepEqual(found, [
    [16, 'wiringWalk', 'essential'],
    [23, 'vmMapPageable', 'essential'],
    [39, 'wiringWalk', 'essential'],
    [43, 'vmMapVerify', 'incidental'],
  ])
})

test('a function that two threads share: the place in it is essential, for any caller', async (t) => {
  const { violations } = await exploreText(
    modelText(`
  function* increment() {
    const read = yield* when(() => true, () => x.v)
    yield* when(() => true, () => { x.v = read + 1 })
  }
  m.thread(function* a() { yield* increment() })
  m.thread(function* b() { yield* increment() })
  m.atRest('both count', () => x.v === 2)`),
    { explain: true },
  )
  t.deepEqual(
    (violations[0]?.preemptions ?? []).map(({ verdict, scope, within }) => [verdict, scope, within]),
    [['essential', 'place', 'increment']],
  )
})

test('each of two windows will do: neither preemption is essential by itself', async (t) => {
  const { violations } = await exploreText(
    modelText(`
  m.thread(function* a() { yield* lock.acquire(); yield* other.acquire(); yield* other.release(); yield* lock.release() })
  m.thread(function* b() { yield* other.acquire(); yield* lock.acquire(); yield* lock.release(); yield* other.release() })`),
    { explain: true },
  )
  t.is(violations[0]?.kind, 'deadlock')
  t.deepEqual(
    (violations[0]?.preemptions ?? []).map(({ verdict }) => verdict),
    ['incidental'],
  )
})

test('an actor that waits for a lock is not preempted when the holder continues after the release', async (t) => {
  const { violations } = await exploreText(
    modelText(`
  m.thread(function* waiter() {
    yield* pause()
    yield* lock.acquire()
    yield* when(() => true, () => { m.assert(y.v === 0, 'y is still 0') })
    yield* lock.release()
  })
  m.thread(function* holder() {
    yield* lock.acquire()
    yield* pause()
    yield* lock.release()
    yield* when(() => true, () => { y.v = 1 })
  })`),
    { explain: true },
  )
  t.true(
    (violations[0]?.preemptions ?? []).every(({ within, verdict }) => within !== 'waiter' || verdict === 'incidental'),
    JSON.stringify(violations[0]?.preemptions),
  )
})
