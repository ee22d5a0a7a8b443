import test from 'ava'
import { exploreFile, exploreText } from '../../harness/run.ts'

/** CPUs that each take two locks, in an order of their choice, and mark a page of their own. */
function lockers({
  cpus = 3,
  own = '',
  step = '',
  declared = '',
}: { cpus?: number; own?: string; step?: string; declared?: string } = {}): string {
  return `import { actors, atomically, model, ref, struct, u2 } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'
const Page = struct('page', { owner: ref(actors), mark: u2 })
const Count = struct('count', { n: u2 })
export default model({
  title: 'lockers',
  machine(m) {
    const [a, b] = [new Mutex(m, 'a'), new Mutex(m, 'b')]
    const pages = m.array(Page, 2, 'page', {}${declared})
    const counts = m.perActor(Count, 'count')
    m.cpus(${cpus}, (cpu) => {
      ${own}
      return function* locker() {
        const page = m.pick(pages, 'page')
        const [first, second] = m.choose(2) === 0 ? [a, b] : [b, a]
        yield* first.acquire()
        counts.of(m.self).n = 1
        yield* second.acquire()
        page.owner = m.self
        ${step}
        yield* second.release()
        yield* first.release()
      }
    })
  },
})`
}

test('a deadlock of interchangeable CPUs: as short as without symmetry, with one set of names', async (t) => {
  const [plain, reduced] = [await exploreText(lockers(), { reduce: 'none' }), await exploreText(lockers())]
  t.deepEqual(reduced.stats.reduction, ['symmetry'])
  const [one, two] = [plain.violations[0], reduced.violations[0]]
  t.is(two?.kind, 'deadlock')
  t.is(two?.schedule.length, one?.schedule.length)
  t.true(two?.minimal)
  // whoever is said to hold a lock at the end is the one who took it on the way
  for (const { actor, target, heldBy } of two?.waiting ?? []) {
    for (const holder of heldBy)
      t.true(
        two?.steps.some(
          (step) =>
            step.actor === holder &&
            step.events.some((event) => event.operation === 'acquire' && event.target === target),
        ),
        `${actor} ${target}`,
      )
  }
})

test('one report, whatever the workers', async (t) => {
  for (const text of [lockers(), lockers({ declared: ', { interchangeable: true }' })]) {
    const reports = await Promise.all(
      [1, 2].map((workers) => exploreText(text, { workers, keepGoing: true, tuning: { narrow: 4, worthThreads: 0 } })),
    )
    const [one, two] = reports.map(({ violations, stats }) => ({
      violations,
      states: stats.states,
      transitions: stats.transitions,
    }))
    t.deepEqual(one, two)
  }
})

test('exact counts: three CPUs give a sixth of the states, interchangeable pages half of those', async (t) => {
  const count = async (options: Parameters<typeof lockers>[0], reduce: 'none' | 'symmetry'): Promise<number> =>
    (await exploreText(lockers(options), { reduce, keepGoing: true })).stats.states
  const plain = await count({}, 'none')
  const [cpus, pages] = [
    await count({}, 'symmetry'),
    await count({ declared: ', { interchangeable: true }' }, 'symmetry'),
  ]
  t.deepEqual([plain, cpus, pages], [1157, 223, 114])
})

test('reading the index of a CPU switches symmetry off, and says so', async (t) => {
  const inSetUp = await exploreText(lockers({ own: 'const mine = cpu.index\n      void mine' }))
  t.deepEqual(inSetUp.stats.reduction, [])
  t.regex(
    inSetUp.notes[0] ?? '',
    /^CPU 0 to CPU 2 are not taken to be interchangeable: machine\(\) reads the index of CPU 0$/,
  )
  const inStep = await exploreText(lockers({ step: 'page.mark = cpu.index' }))
  t.deepEqual(inStep.stats.reduction, [])
  t.regex(inStep.notes[0] ?? '', /the program reads the index of CPU \d/)
  t.deepEqual(
    (await exploreText(lockers({ step: 'page.mark = cpu.index' }), { reduce: 'none' })).violations.map(
      ({ kind, schedule }) => [kind, schedule.length],
    ),
    inStep.violations.map(({ kind, schedule }) => [kind, schedule.length]),
  )
})

test('CPUs that turn out to differ are not taken to be alike', async (t) => {
  for (const step of ['page.mark = m.self.id', 'page.mark = cpu.name === "CPU 1" ? 1 : 0']) {
    const report = await exploreText(lockers({ step }))
    t.deepEqual(report.stats.reduction, [], step)
    t.regex(report.notes[0] ?? '', /are not taken to be interchangeable: .*page\[\d\]\.mark is written otherwise/)
  }
  const captured = await exploreText(
    lockers({ own: 'const mine = pages[counter++]', step: 'mine.mark = 1' })
      .replace('const counts', 'let counter = 0\n    const counts')
      .replace('m.cpus(3', 'm.cpus(2'),
  )
  t.deepEqual([captured.stats.reduction, captured.notes], [[], []], 'obviously not meant to be alike: no word about it')
})

test('a set declared interchangeable that is not is refused with the reason', async (t) => {
  const declared = ', { interchangeable: true }'
  await t.throwsAsync(exploreText(lockers({ declared, step: 'pages[0].mark = 1' })), {
    message: /page is declared interchangeable, but page\[\d\]\.mark is written otherwise in a step of .*--reduce none/,
  })
  await t.throwsAsync(
    exploreText(lockers().replace("'page', {}", "'page', (i) => ({ mark: i }), { interchangeable: true }")),
    { message: /page is declared interchangeable, but their initial states differ/ },
  )
  await t.notThrowsAsync(exploreText(lockers({ declared, step: 'pages[0].mark = 1' }), { reduce: 'none' }))
})

test('a property that distinguishes CPUs is noticed', async (t) => {
  const text = lockers().replace(
    'm.cpus(3',
    "m.always('the first is first', () => counts.all[1].n === 0 || counts.all[0].n === 1)\n    m.cpus(3",
  )
  const report = await exploreText(text, { check: ['invariant'] })
  t.is(report.violations[0]?.kind, 'invariant')
  t.regex(report.notes[0] ?? '', /property "the first is first" holds for one and not for another/)
})

test('storage that is interchangeable is handed out in no order', async (t) => {
  const pool = (options: string): string => `import { actors, atomically, model, ref, struct, u2 } from 'vmcheck'
const Frame = struct('frame', { owner: ref(actors) })
export default model({
  title: 'frames',
  machine(m) {
    const frames = m.pool(Frame, 4, 'frame', ${options})
    m.cpus(2, () => function* user() {
      const one = yield* atomically(() => frames.allocate({ owner: m.self }))
      const two = yield* atomically(() => frames.allocate({ owner: m.self }))
      yield* atomically(() => frames.free(one))
      yield* atomically(() => frames.free(two))
    })
  },
})`
  const [any, anyPlain, lowest] = await Promise.all([
    exploreText(pool('{ interchangeable: true }')),
    exploreText(pool('{ interchangeable: true }'), { reduce: 'none' }),
    exploreText(pool('{}'), { reduce: 'none' }),
  ])
  t.deepEqual([any.verdict, anyPlain.verdict, lowest.verdict], ['pass', 'pass', 'pass'])
  t.deepEqual(
    [any, anyPlain, lowest].map(({ stats }) => stats.states),
    [15, 252, 92],
  )
  await t.throwsAsync(exploreText(pool("{ interchangeable: true, reuse: 'lifo' }")), {
    message: /reuse 'lifo' tells instances apart/,
  })
})

test('the names cycle on three CPUs: a sixth of the states, to within what is symmetric by itself', async (t) => {
  const [plain, reduced] = [
    await exploreFile('models/wire.ts', { scenario: 'names-three', reduce: 'none' }),
    await exploreFile('models/wire.ts', { scenario: 'names-three' }),
  ]
  t.is(plain.stats.states, 1_145_519)
  t.is(reduced.stats.states, 191_768)
})
