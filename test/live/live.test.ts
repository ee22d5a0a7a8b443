import test from 'ava'
import fc from 'fast-check'
import { checks } from '../../checks/index.ts'
import { chooseChecks, prepare } from '../../src/session/request.ts'
import { onLiveCpus, replayOnce } from '../../src/session/live/replay.ts'
import { runLive } from '../../src/session/live/run.ts'
import { bundle } from '../../src/bundle/bundle.ts'
import { load } from '../../src/runtime/load.ts'
import { layoutOf, readCell } from '../../src/explore/state/layout.ts'
import { pathEngine } from '../../src/explore/paths/path-engine.ts'
import { Tracer } from '../../src/explore/witness/tracer.ts'
import { FreeRun, type FreeRunOptions, type FreeRunResult } from '../../src/live/free-run.ts'
import { LiveMachine } from '../../src/live/live-machine.ts'
import { shown } from '../../src/trace/narration.ts'
import { parseSchedule } from '../../src/trace/schedule.ts'
import { bundleText, exploreInline } from '../harness/inline.ts'
import { variablesOf } from '../judge/agree.ts'
import { interpret } from '../judge/interpreter.ts'
import { printModel } from '../judge/print.ts'
import { programs } from '../judge/program.ts'
import { loadOnce, modelText, quiet } from '../harness/run.ts'

const JITTER = { longest: 0.1, oneIn: 3 }

interface Free extends Partial<FreeRunOptions> {
  readonly jitter?: typeof JITTER | null
  readonly seed?: number
}

/** A free run of a loaded model, not lowered. */
async function runFree(
  native: ReturnType<typeof load>,
  params: Readonly<Record<string, unknown>>,
  { jitter = JITTER, seed = 1, ...options }: Free,
): Promise<
  FreeRunResult & { readonly live: LiveMachine; readonly values: Int32Array; readonly finished: ReadonlySet<number> }
> {
  const on = options.checks ?? checks
  const live = await LiveMachine.start(native, params, {
    checks: on.map(({ name }) => name),
    granularity: 'step',
    driving: (actor) => ({ by: 'itself', seed: seed * 64 + actor, jitter }),
  })
  try {
    const result = await new FreeRun(live, {
      rounds: Infinity,
      time: 10_000,
      sampling: 5,
      patience: 5_000,
      signal: new AbortController().signal,
      progress: () => {},
      ...options,
      checks: on,
    }).run()
    return {
      ...result,
      live,
      finished: live.finished,
      values: live.fields.values.slice(0, live.machine.memory.fields.length),
    }
  } finally {
    await live.close()
  }
}

test('a free run hangs, is reported, its schedule is read back and replayed with the same result', async (t) => {
  const report = await runLive(
    'models/wire.ts',
    {
      scenario: 'deadlock',
      settings: [],
      check: [],
      noCheck: [],

      rounds: 20_000,
      time: 60,
      jitter: true,
      seed: 3,
    },
    quiet,
  )
  const [violation] = report.violations
  t.is(violation?.kind, 'deadlock')
  t.is(violation?.waiting.length, 2)
  t.deepEqual(parseSchedule(violation?.schedule_string ?? ''), violation?.schedule)
  t.is(report.stats.strategy, 'live')
  t.true((report.live?.points ?? 0) > 0)
  const native = load(await bundle('models/wire.ts', quiet.cwd, quiet.cache, 'native'))
  const replayable = {
    native,
    scenario: 'deadlock',
    params: report.model.params,
    granularity: 'step',
    violation: violation as never,
    checks: ['stuck'],
    isTold: true,
  } as const
  const followed = await onLiveCpus(replayable, quiet, (replay) => replayOnce(replay, replayable))
  t.is(followed.difference, null)
  t.deepEqual(
    followed.steps.map(({ changes }) => changes),
    violation?.steps.map(({ changes }) => changes),
  )
})

test('a correct model runs without a false alarm, at full speed and disturbed', async (t) => {
  for (const jitter of [true, false]) {
    const report = await runLive(
      'models/wire.ts',
      {
        scenario: 'fixed',
        settings: [],
        check: [],
        noCheck: [],

        rounds: Infinity,
        time: 1.5,
        jitter,
        seed: 1,
      },
      quiet,
    )
    t.deepEqual([report.verdict, report.inconclusive?.reason, report.exhaustive], ['inconclusive', 'time', false])
    t.true((report.live?.rounds ?? 0) > 10)
    t.is(report.live?.actors.length, 2)
  }
})

for (const [path, scenario] of [
  ['models/wire.ts', 'fixed'],
  ['models/serenity-zero.ts', null],
  ['models/maestro-shootdown.ts', null],
  ['test/models/bounded-buffer.ts', null],
  ['models/phoenix-locks.ts', null],
] as const) {
  test(`${path}: what live CPUs come to, the explorer knows`, async (t) => {
    const loaded = await loadOnce(path)
    const { params, system, scenario: chosen } = prepare(loaded, { scenario, settings: [], granularity: 'step' })
    const on = chooseChecks({ check: [], noCheck: [] }, chosen)
    const explored = exploreInline(load(loaded.bundle), 'step', on, params)
    const { layout } = explored.engine.system
    const show = (values: ArrayLike<number>): string =>
      layout.fields.map(({ id }) => (values[id] as number) >>> 0).join()
    const known = new Set(
      [...explored.indices()].map((index) =>
        show(layout.cells.map((cell) => readCell(explored.engine.store.at(index), cell))),
      ),
    )
    const native = load(await bundle(path, quiet.cwd, quiet.cache, 'native'))
    const seen: string[] = []
    for (let seed = 1; seed <= 6; seed++) {
      const run = await runFree(native, params, {
        rounds: 8,
        seed,
        sampling: 1,
        checks: on,
        sampled: (values) => void seen.push(show(values)),
      })
      if (run.end === 'runs') {
        // the steps of the last round, one after the other, lead the explorer to the same end
        const tracer = new Tracer(
          pathEngine(prepare(loaded, { scenario, settings: [], granularity: 'step' }).system, params, 'step', on),
        )
        tracer.trace(run.schedule ?? [])
        t.is(show(tracer.values), show(run.values), `seed ${seed}`)
      }
      t.false(run.end === 'died' || run.end === 'stalled', run.reason)
      seen.push(show(run.values))
    }
    t.is(layoutOf(system.machine.memory, system.actors.length).fields.length, layout.fields.length)
    t.true(seen.length > 6)
    for (const state of seen) t.true(known.has(state), `${state} is not known to the explorer`)
  })
}

test('generated programs on live CPUs come to what the interpreter knows', async (t) => {
  const known = { ends: 0, stuck: 0, faults: 0 }
  for (const program of fc.sample(programs, { seed: 11, numRuns: 60 })) {
    const outcome = interpret(program, 20_000)
    if (!outcome || outcome.race) continue
    const text = printModel(program)
    const isEndless = program.forever.slice(0, program.threads.length).some((body) => body !== null)
    const on = checks.filter(({ name }) => name === 'stuck' || name === 'assertion')
    const run = await runFree(
      load(await bundleText(text, 'native')),
      {},
      { rounds: 20, time: isEndless ? 150 : 20_000, patience: 60_000, checks: on },
    )
    const about = JSON.stringify(program)
    if (run.finding?.kind === 'assertion') {
      t.true(outcome.fault, about)
      known.faults++
    } else if (run.finding && !outcome.fault) {
      if (run.live.machine.actors.every(({ id }) => run.finding?.stuck?.includes(id) || run.finished.has(id)))
        t.true(outcome.stuck.has((run.finding.stuck ?? []).join()), `${run.finding.message} ${about}`)
      known.stuck++
    } else if (run.end === 'runs' && !outcome.fault && !isEndless) {
      const { memory } = run.live.machine
      t.true(
        outcome.ends.has(
          variablesOf(run.live.machine, (field) => shown(field, run.values[field.id] as number, memory)),
        ),
        about,
      )
      known.ends++
    }
  }
  t.true(known.ends >= 3 && known.stuck >= 3, JSON.stringify(known))
})

test('a hang of some while others run for ever is found', async (t) => {
  const text = modelText(
    'm.thread(function* a() { yield* lock.acquire(); yield* other.acquire(); yield* other.release(); yield* lock.release() }); m.thread(function* b() { yield* other.acquire(); yield* lock.acquire(); yield* lock.release(); yield* other.release() }); m.thread(function* ticker() { for (;;) yield* pause() }, { endless: true })',
  )
  const run = await runFree(load(await bundleText(text, 'native')), {}, {})
  t.is(run.end, 'found')
  t.is(run.finding?.kind, 'deadlock')
  t.deepEqual(run.finding?.stuck, [0, 1])
})

const FOUND: readonly (readonly [machine: string, kind: string, says: RegExp])[] = [
  ['m.thread(function* a() { yield* pause(); m.assert(false, "never") })', 'assertion', /never/],
  [
    'm.thread(function* a() { for (;;) yield* atomically(() => { x.v += 1 }) })',
    'range',
    /x\.v is u4 and cannot hold 16/,
  ],
  ['m.thread(function* a() { yield* pause(); throw new Error("no") })', 'exception', /Error: no/],
  [
    'const p = m.pool(Cell, 1, "p"); m.thread(function* a() { const c = p.allocate(); p.free(c); yield* pause(); c.v = 1 })',
    'use-after-free',
    /p\[0\] is used after it was freed/,
  ],
  ['m.atRest("x is one", () => x.v === 1); m.thread(function* a() { yield* pause() })', 'at-rest', /x is one/],
  [
    'm.invariant("x is even", () => x.v % 2 === 0, { whenFree: lock }); m.thread(function* a() { for (;;) { yield* lock.acquire(); x.v = (x.v + 1) % 8; yield* lock.release() } })',
    'invariant',
    /x is even/,
  ],
  [
    'const c = new WaitChannel(m, "c"); m.thread(function* a() { yield* c.assertWait(); yield* c.block() })',
    'lost-wakeup',
    /sleeps on c/,
  ],
]

for (const [machine, kind, says] of FOUND) {
  test(`a free run finds: ${kind}`, async (t) => {
    const run = await runFree(load(await bundleText(modelText(machine), 'native')), {}, { rounds: 200, jitter: null })
    t.is(run.finding?.kind, kind as never)
    t.regex(run.finding?.message ?? '', says)
  })
}

test('what no check is on for ends a round, and no more', async (t) => {
  const text = modelText('m.thread(function* a() { yield* pause(); m.assert(m.choose(2) === 0, "tails") })')
  const run = await runFree(
    load(await bundleText(text, 'native')),
    {},
    { rounds: 100, checks: checks.filter(({ name }) => name === 'stuck') },
  )
  t.deepEqual([run.end, run.finding, run.rounds], ['runs', null, 100])
})

test('an assertion over what others are in the middle of changing is looked at again while they stand', async (t) => {
  const both =
    'yield* lock.acquire(); x.v = (x.v + 1) % 8; for (let i = 0; i < 300; i++) m.ghost(() => x.v); y.v = x.v; yield* lock.release()'
  const text = modelText(
    `m.thread(function* writer() { for (let n = 0; n < 40; n++) { ${both} } }); m.thread(function* looker() { for (let n = 0; n < 400; n++) { yield* pause(); m.assert(() => x.v === y.v, "they are equal") } })`,
  )
  const run = await runFree(load(await bundleText(text, 'native')), {}, { rounds: 5, jitter: null })
  t.deepEqual([run.end, run.finding], ['runs', null])
})

test('interrupts, shared CPUs and migrating threads: every round ends', async (t) => {
  for (const path of ['models/maestro-shootdown.ts', 'models/serenity-quickmap.ts'] as const) {
    const loaded = await loadOnce(path)
    const native = load(await bundle(path, quiet.cwd, quiet.cache, 'native'))
    for (const [name, { expect, params = {} }] of loaded.model.scenarios) {
      if (expect === 'pass' || (typeof expect === 'object' && expect.verdict === 'pass')) {
        const run = await runFree(
          native,
          prepare(loaded, { scenario: name, settings: [], granularity: 'step' }).params,
          { rounds: 30 },
        )
        t.deepEqual([run.end, run.finding], ['runs', null], `${path} ${name} ${JSON.stringify(params)}`)
      }
    }
  }
})

test('a wait that no actor ends while another one repeats a loop is reported with the waits', async (t) => {
  const text = modelText(
    'm.thread(function* a() { yield* lock.acquire(); for (;;) yield* pause() }, { endless: true }); m.thread(function* b() { yield* pause(); yield* pause(); yield* lock.acquire(); yield* lock.release() })',
  )
  const run = await runFree(load(await bundleText(text, 'native')), {}, { patience: 500 })
  t.is(run.end, 'stalled')
  t.regex(run.reason, /nothing has changed .* b\/1 waits: acquire lock, held by a\/0/)
})

test('code that loops without a point is distinguished from a hang', async (t) => {
  const text = modelText(
    'm.thread(function* a() { yield* pause(); for (;;) if (Math.max(1, 2) === 3) break }); m.thread(function* b() { yield* pause() })',
  )
  const run = await runFree(load(await bundleText(text, 'native')), {}, { patience: 1500 })
  t.is(run.end, 'stalled')
  t.regex(run.reason, /no CPU has taken a step for .* a\/0 (and b\/1 run|runs): code that loops without a point/)
})

test('a spin that changes nothing does not count as progress', async (t) => {
  const text = modelText('m.thread(function* a() { while ((yield* readOnce(() => x.v)) === 0) yield* pause() })')
  const run = await runFree(load(await bundleText(text, 'native')), {}, { patience: 300, jitter: null })
  t.is(run.end, 'stalled')
  t.regex(run.reason, /nothing has changed .* it repeats a loop/)
})

const PASSES: Readonly<Record<string, string>> = {
  'an effect that sees its own unwinding':
    'for (let t = 0; t < 2; t++) m.thread(function* inc() { for (let i = 0; i < 40; i++) yield* atomically(() => { let ok = false; try { x.v = (x.v + 1) % 16; ok = true } finally { m.assert(ok, "the body ran") } }) })',
  'an effect that turns every error into one of its own':
    'for (let t = 0; t < 2; t++) m.thread(function* inc() { for (let i = 0; i < 40; i++) yield* atomically(() => { try { x.v = (x.v + 1) % 16 } catch { throw new Error("wrapped") } }) })',
  'an effect that catches an assertion':
    'm.thread(function* writer() { for (let i = 0; i < 16; i++) { yield* lock.acquire(); x.v = i; y.v = i; yield* lock.release() } }); m.thread(function* looker() { for (let i = 0; i < 16; i++) { const r = yield* atomically(() => { try { m.assert(() => x.v === y.v, "same"); return 0 } catch { return 1 } }); m.assert(r === 0, "never caught") } })',
  'a daemon left in the middle':
    'const s = m.struct(struct("s", { v: volatile(u2) }), "s"); m.thread(function* d() { for (;;) { yield* pause(); let ok = false; try { s.v = 1; ok = true } finally { m.assert(ok, "done") } } }, { daemon: true }); m.thread(function* t() { for (let i = 0; i < 5; i++) yield* pause() })',
  'a condition that throws over what is half done':
    'const P = struct("p", { c: ref(Cell) }); const p = m.struct(P, "p", { c: x }); m.thread(function* writer() { for (let i = 0; i < 20; i++) { yield* lock.acquire(); p.c = null; p.c = x; yield* lock.release() } }); m.thread(function* looker() { for (let i = 0; i < 20; i++) { yield* pause(); m.assert(() => p.c.v === 0, "zero") } })',
  'a guard that makes a choice':
    'm.thread(function* g() { yield* when(() => m.choose(2) === 1) }); m.thread(function* h() { yield* pause() })',
}

for (const [name, machine] of Object.entries(PASSES)) {
  test(`no false alarm: ${name}`, async (t) => {
    const native = load(await bundleText(modelText(machine), 'native'))
    for (const jitter of [JITTER, null]) {
      const run = await runFree(native, {}, { rounds: 60, jitter })
      t.deepEqual([run.end, run.finding], ['runs', null])
    }
  })
}

test('a run whose every round hangs, with no check on for it, ends when its time is up', async (t) => {
  const text = modelText('m.thread(function* a() { yield* lock.acquire(); yield* lock.acquire() })')
  const run = await runFree(
    load(await bundleText(text, 'native')),
    {},
    { time: 300, jitter: null, checks: checks.filter(({ name }) => name === 'assertion') },
  )
  t.is(run.end, 'time')
  t.true(run.rounds > 10)
})
