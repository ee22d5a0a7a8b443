import test from 'ava'
import { modelFiles } from '../../src/session/model-files.ts'
import type { ExploreRequest } from '../../src/session/request.ts'
import { type Replayable, checksOf, onLiveCpus, replayOnce } from '../../src/session/live/replay.ts'
import { bundle } from '../../src/bundle/bundle.ts'
import { load } from '../../src/runtime/load.ts'
import type { Followed } from '../../src/live/follow.ts'
import { judge, keepsGoing } from '../../src/gate/judge.ts'
import type { Scenario } from '../../src/model/model.ts'
import type { Report } from '../../src/report/report.ts'
import type { Violation } from '../../src/trace/violation.ts'
import { bundleText } from '../harness/inline.ts'
import { exploreFile, exploreText, loadOnce, modelText, quiet } from '../harness/run.ts'
import { TWINS, twin } from '../explore/twins.ts'

/** Replays a violation of a report, so many times on the same threads. */
async function replayed(
  report: Report,
  violation: Violation,
  native: Replayable['native'],
  times = 1,
): Promise<Followed[]> {
  const { model, stats } = report
  const replayable: Replayable = {
    native,
    scenario: model.scenario,
    params: model.params,
    granularity: stats.granularity as 'step' | 'access',
    violation,
    checks: checksOf(report),
    isTold: true,
  }
  return onLiveCpus(replayable, quiet, async (replay) => {
    const all: Followed[] = []
    for (let i = 0; i < times; i++) all.push(await replayOnce(replay, replayable))
    return all
  })
}

async function nativeFile(path: string): Promise<Replayable['native']> {
  return load(await bundle(path, quiet.cwd, quiet.cache, 'native'))
}

for (const path of await modelFiles('models', process.cwd())) {
  test(`${path}: every scenario gives what it says, and live CPUs come to what it finds, step by step`, async (t) => {
    const { model } = await loadOnce(path)
    const native = await nativeFile(path)
    for (const [name, scenario] of model.scenarios) {
      const report = await exploreFile(path, { scenario: name, keepGoing: keepsGoing(scenario as Scenario<never>) })
      t.deepEqual(judge(report, scenario as Scenario<never>, true).differences, [], name)
      if (scenario.large) continue
      for (const violation of report.violations) {
        if (violation.kind === 'unreached') continue
        const [followed] = await replayed(report, violation, native)
        t.is(followed?.difference, null, `${name}: ${violation.kind}`)
        t.is(followed?.steps.length, violation.schedule.length)
      }
    }
  })
}

for (const [name, { kind }] of Object.entries(TWINS)) {
  if (kind === 'unreached') continue
  test(`a replay shows: ${name}`, async (t) => {
    const native = await nativeFile(twin(name))
    for (const granularity of ['step', 'access'] as const) {
      const report = await exploreFile(twin(name), { scenario: 'broken', granularity })
      const [violation] = report.violations
      const [followed] = await replayed(report, violation as Violation, native)
      t.is(followed?.difference, null, granularity)
      t.is(followed?.finding?.kind, kind as never)
    }
  })
}

test('schedules of every strategy and reduction replay', async (t) => {
  const native = await nativeFile('models/wire.ts')
  const requests: Partial<ExploreRequest>[] = [
    { strategy: 'dfs' },
    { strategy: 'dpor' },
    { strategy: 'random', runs: 100_000 },
    { strategy: 'pct', runs: 100_000, bugDepth: 4 },
    { reduce: 'none' },
    { reduce: 'all' },
  ]
  for (const request of requests) {
    const report = await exploreFile('models/wire.ts', { scenario: 'deadlock', ...request })
    const [followed] = await replayed(report, report.violations[0] as Violation, native)
    t.is(followed?.difference, null, JSON.stringify(request))
  }
})

test('replays in a row on the same threads are all alike, and the CPUs really sleep at the end', async (t) => {
  const report = await exploreFile('models/wire.ts')
  const [violation] = report.violations
  const all = await replayed(report, violation as Violation, await nativeFile('models/wire.ts'), 50)
  t.is(new Set(all.map((followed) => JSON.stringify(followed))).size, 1)
  const lines = (waiting: Violation['waiting'] = []): unknown =>
    waiting.map(({ at, ...wait }) => [wait, at?.file, at?.line])
  t.deepEqual(lines(all[0]?.waiting), lines(violation?.waiting))
  t.is(
    JSON.stringify(all[0]?.steps.map(({ changes, why, because }) => [changes, why, because])),
    JSON.stringify(violation?.steps.map(({ changes, why, because }) => [changes, why, because])),
  )
})

test('a report that says something else is found out, at the step', async (t) => {
  const report = await exploreFile('models/wire.ts')
  const native = await nativeFile('models/wire.ts')
  const [violation] = report.violations as [Violation]
  const changed = (
    change: (
      copy: { -readonly [K in keyof Violation]: Violation[K] } & { steps: any[]; schedule: any[]; waiting: any[] },
    ) => void,
  ): Violation => {
    const copy = structuredClone(violation) as never as Parameters<typeof change>[0]
    change(copy)
    return copy
  }
  const at = violation.steps.findIndex(({ changes }) => changes.length > 0)
  const cases: readonly (readonly [what: string, lie: Violation, step: number, says: RegExp])[] = [
    ['an event', changed(({ steps }) => (steps[at].events[0].operation = 'fly')), at + 1, /^expected fly.*, got /],
    ['an event too few', changed(({ steps }) => steps[at].events.pop()), at + 1, /^unexpected /],
    [
      'a change',
      changed(({ steps }) => (steps[at].changes[0].to = 'nonsense')),
      at + 1,
      /^expected changes .*nonsense.*, got /,
    ],
    ['a place', changed(({ steps }) => (steps[at].events[0].at.line += 1)), at + 1, /: expected at .*:\d+, got it at /],
    [
      'a function',
      changed(({ steps }) => (steps[at].events[0].function = ['elsewhere'])),
      at + 1,
      /: expected in elsewhere, got it in /,
    ],
    ['a reason', changed(({ steps }) => (steps[at].why = 'woken')), at + 1, /^expected woken/],
    [
      'an actor that has no step to take',
      changed(({ schedule, steps }) => {
        schedule.push(schedule[0])
        steps.push(steps[0])
      }),
      violation.schedule.length + 1,
      /is blocked/,
    ],
    [
      'a choice',
      changed(({ schedule }) => (schedule[at].choices = [1])),
      at + 1,
      /makes the choices \[\] and not \[1\]/,
    ],
    [
      'a wait',
      changed(({ waiting }) => (waiting[0].target = 'another lock')),
      violation.schedule.length,
      /at the end, .*waits for .* and not for .*another lock/,
    ],
    [
      'a message',
      changed((copy) => (copy.message = 'all is well')),
      violation.schedule.length,
      /at the end, it is deadlock/,
    ],
  ]
  for (const [what, lie, step, says] of cases) {
    const [followed] = await replayed(report, lie, native)
    t.is(followed?.difference?.step, step, `${what}: ${followed?.difference?.what}`)
    t.regex(followed?.difference?.what ?? '', says, what)
  }
})

const UNWINDING: Readonly<Record<string, string>> = {
  'a program that throws before its first point':
    'm.thread(function* a() { throw new Error("at once") }); m.thread(function* b() { yield* pause() })',
  'an assertion before the first point':
    'm.thread(function* a() { yield* pause() }); m.thread(function* b() { m.assert(false, "never") })',
  'choices after a fault that is caught':
    'm.thread(function* a() { yield* pause(); try { x.v = 99 } catch { m.choose(2); m.choose(3) } yield* pause() })',
  'choices after a fault that an effect catches':
    'm.thread(function* a() { yield* atomically(() => { try { x.v = 99 } catch { m.choose(2); m.choose(3) } }) })',
  'a guard that makes a choice':
    'm.thread(function* a() { yield* when(() => m.choose(2) === 1 && x.v === 3) }); m.thread(function* b() { yield* pause() })',
}

for (const [name, machine] of Object.entries(UNWINDING)) {
  test(`a replay ends: ${name}`, async (t) => {
    const text = modelText(machine)
    const native = load(await bundleText(text, 'native'))
    const report = await exploreText(text, { keepGoing: true })
    t.true(report.violations.length > 0)
    for (const violation of report.violations) {
      if (violation.kind === 'unreached') continue
      const [followed] = await replayed(report, violation, native)
      t.is(followed?.difference, null, violation.message)
    }
  })
}
