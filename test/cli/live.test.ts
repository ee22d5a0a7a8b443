import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import test from 'ava'
import type { Report } from '../../src/report/report.ts'
import { folder, vmcheck } from '../harness/command.ts'
import { modelText } from '../harness/run.ts'

/** Two threads, two locks, two orders. */
const CROSSED = modelText(
  'm.thread(function* a() { yield* lock.acquire(); x.v = 1; yield* other.acquire(); yield* other.release(); yield* lock.release() }); m.thread(function* b() { yield* other.acquire(); yield* lock.acquire(); yield* lock.release(); yield* other.release() })',
)

test('run, fail, parse the schedule printed, replay, and it is the same', async (t) => {
  const cwd = await folder({ 'model.ts': CROSSED })
  const ran = await vmcheck(['run', 'model.ts', '--jitter', '--rounds', '5000', '--report', 'found.json'], { cwd })
  t.is(ran.status, 1, ran.err)
  t.regex(ran.out, /^DEADLOCK {2}a cycle of waits: /)
  t.regex(ran.out, /Final state:\nCPU \d \([ab]\/\d\) waits: acquire (lock|other), held by CPU \d/)
  const [, schedule = ''] = /--schedule (v1:\S+)/.exec(ran.out) ?? []
  const report = JSON.parse(await readFile(join(cwd, 'found.json'), 'utf8')) as Report
  t.is(report.violations[0]?.schedule_string, schedule)
  const byText = await vmcheck(['replay', 'model.ts', '--schedule', schedule], { cwd })
  t.is(byText.status, 0, byText.out)
  t.regex(byText.out, /^REPLAYED {2}\d+ steps on 2 live threads came to the same: deadlock: a cycle of waits/)
  const byReport = await vmcheck(['replay', 'found.json', '--quiet'], { cwd })
  t.is(byReport.status, 0, byReport.out)
  t.regex(byReport.out.replace(/\s+/g, ' '), /deadlock: a cycle of waits/)
  await rm(cwd, { recursive: true })
})

test('an assertion that fails within an operation has its place among the steps: the run’s report replays', async (t) => {
  const text = modelText(
    'm.thread(function* setter() { yield* lock.acquire(); yield* atomically(() => { x.v = 1 }); yield* lock.release() }); m.thread(function* looker() { yield* atomically(() => { if (m.choose(2) === 0) m.assert(x.v === 0, "unset") }) }); m.thread(function* other() { yield* atomically(() => { m.assert(x.v === 0, "unset") }) })',
  )
  const cwd = await folder({ 'model.ts': text })
  const [model, bind] = ['model.ts', resolve('models/maestro-bind.ts')]
  for (const line of [
    [model, '--seed', '1'],
    [model, '--seed', '2'],
    [model, '--seed', '3', '--jitter'],
    [bind, '--scenario', 'thread-switch-access', '--jitter', '--seed', '4'],
    [bind, '--scenario', 'thread-switch-access', '--jitter', '--seed', '5'],
  ]) {
    const ran = await vmcheck(['run', ...line, '--time', '20', '--report', 'found.json'], { cwd })
    t.is(ran.status, 1, `${line.join(' ')}: ${ran.out}`)
    const replayed = await vmcheck(['replay', 'found.json'], { cwd })
    t.is(replayed.status, 0, `${line.join(' ')}: ${ran.out}${replayed.out}`)
  }
  await rm(cwd, { recursive: true })
})

test('run: nothing found is inconclusive, with throughput and contention', async (t) => {
  const ran = await vmcheck(['run', 'models/wire.ts', '--scenario', 'fixed', '--rounds', '300'])
  t.is(ran.status, 3)
  t.regex(ran.out, /^INCONCLUSIVE {2}nothing was found in 300 rounds/)
  t.regex(ran.out, /a live run proves\s+nothing/)
  t.regex(ran.out, /300 rounds in [\d.]+ s on 2 threads: [\d,]+ points, [\d,]+ a second/)
  t.regex(ran.out, /wirer\/0: [\d,]+ points, [\d,]+ a second, blocked [\d,]+ times?/)
  t.regex(ran.out, /ipc_kernel_map\.lock: [\d,]+ operations, blocked [\d,]+ times?/)
  const json = JSON.parse(
    (await vmcheck(['run', 'models/wire.ts', '--scenario', 'fixed', '--rounds', '20', '--json'])).out,
  ) as Report
  t.deepEqual(
    [json.schema, json.verdict, json.live?.rounds, json.stats.strategy, json.inconclusive?.reason],
    ['vmcheck.report/1', 'inconclusive', 20, 'live', 'runs'],
  )
})

test('a replay that differs says where, with status 1', async (t) => {
  const cwd = await folder({ 'model.ts': CROSSED })
  await vmcheck(['explore', 'model.ts', '--report', 'r.json'], { cwd })
  const text = await readFile(join(cwd, 'r.json'), 'utf8')
  await writeFile(join(cwd, 'lie.json'), text.replace('"target": "other"', '"target": "elsewhere"'))
  const ran = await vmcheck(['replay', 'lie.json', '--quiet'], { cwd })
  t.is(ran.status, 1)
  t.regex(ran.out, /^DIFFERS {2}at step \d+ of \d+: expected acquire elsewhere, got acquire other\n$/)
  const wrong = await vmcheck(['replay', 'model.ts', '--schedule', 'v1:0,1,0', '--quiet'], { cwd })
  t.is(wrong.status, 1)
  t.regex(wrong.out, /^DIFFERS {2}at step 3 of 3: CPU 0 is blocked: acquire other\n$/)
  const harmless = await vmcheck(['replay', 'model.ts', '--schedule', 'v1:0x2,1x2', '--quiet'], { cwd })
  t.is(harmless.status, 1)
  t.regex(harmless.out, /at the end, nothing is wrong/)
  await rm(cwd, { recursive: true })
})

test('reports that cannot be replayed: status 2, one line that says what, where and what to do', async (t) => {
  const cwd = await folder({
    'model.ts': CROSSED,
    'pass.ts': modelText('m.thread(function* a() { yield* lock.acquire(); yield* lock.release() })'),
  })
  await vmcheck(['explore', 'model.ts', '--report', 'r.json'], { cwd })
  await vmcheck(['explore', 'pass.ts', '--report', 'pass.json'], { cwd })
  const text = await readFile(join(cwd, 'r.json'), 'utf8')
  const damaged = async (name: string, change: (report: any) => void): Promise<void> => {
    const report: unknown = JSON.parse(text)
    change(report)
    await writeFile(join(cwd, name), JSON.stringify(report))
  }
  await writeFile(join(cwd, 'cut.json'), text.slice(0, 500))
  await writeFile(join(cwd, 'empty.json'), '')
  await damaged('no-actor.json', (report) => (report.violations[0].schedule[1].actor = 'first'))
  await damaged('far-actor.json', (report) => (report.violations[0].schedule[1].actor = 9))
  await damaged('no-steps.json', (report) => delete report.violations[0].steps)
  await damaged('old.json', (report) => (report.schema = 'vmcheck.report/0'))
  await damaged('other.json', (report) => (report.model.digest = 'f'.repeat(64)))
  await damaged('rest.json', (report) => (report.violations[0].kind = 'at-rest'))
  await damaged('passed.json', (report) => (report.verdict = 'pass'))
  await damaged('params.json', (report) => (report.model.params = { lock: 1 }))
  await damaged('scenario.json', (report) => (report.model.scenario = 'crossing'))
  await damaged('livelock.json', (report) => (report.violations[0].kind = 'livelock'))
  const cases: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [['nowhere.json'], /no such file: nowhere\.json/],
    [['cut.json'], /cut\.json: not a report, or a damaged one: not valid JSON: syntax error at line \d+, column \d+/],
    [['empty.json'], /empty\.json: .* not valid JSON: the file is empty/],
    [['no-actor.json'], /violations\[0\]\.schedule\[1\]\.actor is "first", and should be a whole number/],
    [['far-actor.json'], /violations\[0\]\.schedule\[1\]\.actor is 9, and there are 2 actors/],
    [['no-steps.json'], /violations\[0\]\.steps is missing, and should be a list/],
    [['old.json'], /its schema is "vmcheck\.report\/0"/],
    [['other.json'], /model\.ts is not the model that other\.json is about: it has changed since .* or give --force/],
    [['rest.json'], /violations\[0\]\.waiting is not for at-rest/],
    [['passed.json'], /verdict is pass, and there are 1 violations/],
    [['params.json'], /the report's parameters: lock=1: unknown parameter/],
    [['scenario.json'], /model\.ts has no scenario "crossing", which the report names/],
    [['pass.json'], /there is nothing to replay: its verdict is pass/],
    [['r.json', '--violation', '2'], /--violation 2: the report has 1/],
    [['r.json', '--scenario', 'x'], /--scenario goes with --schedule/],
    [['r.json', '--step', '--times', '2'], /--step and --times exclude each other/],
    [['model.ts', '--schedule', 'v2:0'], /a schedule starts with "v1:"/],
    [['model.ts', '--schedule', 'v1:0,,1'], /unreadable schedule at character 6/],
    [['model.ts', '--schedule', 'v1:0', '--force'], /--force goes with a report/],
  ]
  for (const [args, says] of cases) {
    const ran = await vmcheck(['replay', ...args], { cwd })
    t.is(ran.status, 2, args.join(' '))
    t.is(ran.out, '')
    t.regex(ran.err, says)
    t.is(ran.err.trimEnd().split('\n').length, 1, ran.err)
  }
  const forced = await vmcheck(['replay', 'other.json', '--force', '--quiet'], { cwd })
  t.is(forced.status, 0, forced.out)
  const livelock = await vmcheck(['replay', 'livelock.json', '--quiet'], { cwd })
  t.is(livelock.status, 1)
  t.regex(livelock.out, /DIFFERS .* it is deadlock: a cycle of waits/)
  const piped = await vmcheck(['replay', '-', '--times', '3'], { cwd, input: text })
  t.is(piped.status, 0, piped.err)
  t.regex(piped.out, /3 replays, all alike, in [\d.]+ s/)
  await rm(cwd, { recursive: true })
})

test('run: what cannot be carried out', async (t) => {
  const cwd = await folder({
    'model.ts': CROSSED,
    'leaves.ts': modelText('m.thread(function* a() { yield* lock.acquire(); globalThis.process.exit(0) })'),
    'ends.ts': modelText(
      'm.thread(function* a() { yield* lock.acquire(); const all = []; for (;;) all.push(new Array(1_000_000).fill(all.length)) })',
    ),
    'bad.ts': 'export default 1\n',
  })
  for (const [args, says] of [
    [['model.ts', '--rounds', '0'], /--rounds takes a whole number from 1/],
    [['model.ts', '--time', '0'], /--time takes a number of seconds above 0/],
    [['model.ts', '--report', 'x.yaml'], /unknown format/],
    [['model.ts', '--scenario', 'x'], /has no scenario "x"/],
    [['bad.ts'], /bad\.ts:1:1: the default export is not a model/],
    [['leaves.ts'], /leaves\.ts:\d+:\d+: globalThis is used, and depends on the process/],
    [['ends.ts'], /the thread of a\/0 died after 1 steps: .*; nothing is known about the model/],
  ] as const) {
    const ran = await vmcheck(['run', ...args], { cwd, env: { NODE_OPTIONS: '--max-old-space-size=200' } })
    t.is(ran.status, 2, args.join(' '))
    t.regex(ran.err, says)
    t.is(ran.err.trimEnd().split('\n').length, 1, ran.err)
  }
  t.deepEqual((await readdir(cwd)).toSorted(), ['bad.ts', 'ends.ts', 'leaves.ts', 'model.ts'])
  await rm(cwd, { recursive: true })
})

test('Ctrl-C ends a run with what is known, at any moment, and leaves no half-written file', async (t) => {
  const cwd = await folder({
    'model.ts': modelText(
      'const run = function* () { yield* lock.acquire(); yield* lock.release() }; m.thread(run); m.thread(run)',
    ),
  })
  for (const interrupt of [120, 250, 500, 900]) {
    const ran = await vmcheck(['run', 'model.ts', '--time', '60', '--report', 'r.json'], { cwd, interrupt })
    t.true(ran.status === 3 || ran.status === null, `${interrupt}: ${ran.status} ${ran.err}`)
    for (const name of await readdir(cwd))
      if (name.endsWith('.json'))
        t.is((JSON.parse(await readFile(join(cwd, name), 'utf8')) as Report).inconclusive?.reason, 'interrupt')
    t.false((await readdir(cwd)).some((name) => name.endsWith('.tmp')))
  }
  await rm(cwd, { recursive: true })
})

test('walking through a replay: next, back, the state, who waits', async (t) => {
  const cwd = await folder({ 'model.ts': CROSSED })
  await vmcheck(['explore', 'model.ts', '--report', 'r.json'], { cwd })
  const ran = await vmcheck(['replay', 'r.json', '--step'], { cwd, input: 'w\nn\ns\nb\ns\n\n\nw\nn\nn\n?\nq\n' })
  t.is(ran.status, 0, ran.err)
  t.regex(ran.out, /n or Enter: the next step/)
  t.regex(ran.out, /CPU 0 \(a\/0\) is before: acquire lock \[model\.ts:\d+\]/)
  t.regex(ran.out, /acquire lock/)
  t.regex(ran.out, /x: v 1/)
  t.regex(ran.out, /all fields hold nothing/)
  t.regex(ran.out, /CPU 0 \(a\/0\) waits: acquire other, held by CPU 1/)
  t.regex(ran.out, /deadlock: a cycle of waits/)
  t.regex(ran.out, /there is nothing more/)
  await rm(cwd, { recursive: true })
})
