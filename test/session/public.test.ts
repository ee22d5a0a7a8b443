// The public entry `vmcheck/explore`, and tests in other runners that use it.
import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { Refusal, UsageError, explore, gate } from '../../src/session/index.ts'
import { CACHE, folder, vmcheck } from '../harness/command.ts'
import { modelText } from '../harness/run.ts'

const ENDLESS = `import { model, range, struct, when } from 'vmcheck'
const C = struct<{ v: number }>('c', { v: range(0, 1_000_000_000) })
export default model({ title: 'endless', machine(m) { const c = m.struct(C, 'c'); m.cpus(2, () => function* a() { for (;;) yield* when(() => true, () => { c.v += 1 }) }, { endless: true }) } })
`

test('explore gives the report that the command prints', async (t) => {
  for (const [scenario, args] of [
    [undefined, []],
    ['fixed', ['--scenario', 'fixed', '--set', 'mark=off', '--keep-going']],
  ] as const) {
    const options = scenario ? { scenario, set: { mark: 'off' }, keepGoing: true } : {}
    const report = await explore('models/wire.ts', { ...options, cache: CACHE })
    const printed = JSON.parse((await vmcheck(['explore', 'models/wire.ts', ...args, '--json'])).out) as typeof report
    const timeless = ({ stats, notes: _, ...rest }: typeof report): unknown => [
      { ...stats, seconds: 0, memoryBytes: 0, bytesPerState: 0 },
      rest,
    ]
    t.deepEqual(timeless(JSON.parse(JSON.stringify(report)) as typeof report), timeless(printed))
  }
})

test('a model that does not come back when it is loaded cannot hang the caller’s process', async (t) => {
  const slow = "import { model } from 'vmcheck'\nconst slow = /(a+)+$/.test('a'.repeat(40) + 'b')\n"
  const cwd = await folder({
    'models/slow.ts': `${slow}export default model({ title: 'slow', machine(m) { void slow; m.thread(function* a() {}) } })\n`,
  })
  let turns = 0
  const turning = setInterval(() => turns++, 100)
  const { status, results } = await gate(['models'], { cwd, cache: CACHE, signal: AbortSignal.timeout(200) })
  clearInterval(turning)
  t.is(status, 2)
  t.regex(results[0]?.differences[0] ?? '', /code of the model does not come back/)
  t.true(turns > 10, 'the caller’s thread is free meanwhile')
})

test('options that are no plain objects, and configurations that say what they cannot say, are refused', async (t) => {
  const options: readonly [unknown, RegExp][] = [
    [new Map(), /explore: the options are an object/],
    [{ set: new Map([['mark', 'off']]) }, /set is .*, and should be a list of KEY=VALUE, or an object/],
    [{ set: { constructor: 1 } }, /unknown parameter/],
    [{ time: Object.create(null) as unknown }, /time is \{\}, and should be a number/],
    [{ cwd: '/nonexistent' }, /no such folder: \/nonexistent/],
  ]
  for (const [given, message] of options)
    await t.throwsAsync(explore('models/wire.ts', given as object), { message }, String(message))
  for (const config of [[], { nope: 1 }, { search: 5 }, { overrides: [null] }, { time: -1 }, { constructor: 1 }])
    await t.throwsAsync(gate(['models/wire.ts'], { config: config as object }), undefined, JSON.stringify(config))
})

test('a search reports its progress, and can be ended early', async (t) => {
  const cwd = await folder({ 'endless.ts': ENDLESS })
  const controller = new AbortController()
  let states = 0
  const report = await explore('endless.ts', {
    cwd,
    cache: CACHE,
    signal: controller.signal,
    onProgress: (progress) => {
      states = progress.states
      if (states > 0) controller.abort()
    },
  })
  t.true(states > 0)
  t.is(report.verdict, 'inconclusive')
  t.is(report.inconclusive?.reason, 'interrupt')
})

test('what cannot be explored is thrown in one line, and a model cannot reach the process', async (t) => {
  const cwd = await folder({
    'model.ts': modelText('m.thread(function* a() { yield* pause() })'),
    'broken.ts': 'export default 1 +',
    'leaves.ts': modelText('process.exit(7)'),
    'tampers.ts': modelText('m.thread(function* a() { yield* pause() })', 'Array.prototype.map = () => []'),
  })
  const thrown = async (path: string, options = {}): Promise<Error> =>
    t.throwsAsync(explore(path, { cwd, cache: CACHE, ...options }), { instanceOf: Error })
  t.true((await thrown('model.ts', { scenario: 'none' })) instanceof UsageError)
  t.is((await thrown('model.ts', { seed: 3 })).message, 'seed goes with strategy random or pct, not with bfs')
  t.is((await thrown('model.ts', { maxStates: 0.5 })).message, 'maxStates takes a whole number from 1')
  const refusal = await thrown('broken.ts')
  t.true(refusal instanceof Refusal && refusal.at?.file === 'broken.ts' && refusal.at.line === 1)
  for (const path of ['leaves.ts', 'tampers.ts']) t.false((await thrown(path)).message.includes('\n'), path)
  t.deepEqual(
    [1].map((x) => x + 1),
    [2],
  )
})

test('gate gives every result, and the status that the command ends with', async (t) => {
  const cwd = await folder({ 'models/lock-order.ts': await readFile('templates/init/models/lock-order.ts', 'utf8') })
  const told: string[] = []
  const { status, results, drifts } = await gate([], {
    cwd,
    cache: CACHE,
    onResult: ({ scenario }) => told.push(scenario),
  })
  t.deepEqual([status, drifts], [0, []])
  t.deepEqual(
    results.map(({ file, scenario, status }) => [file, scenario, status]),
    [
      ['models/lock-order.ts', 'deadlock', 'as expected'],
      ['models/lock-order.ts', 'fixed', 'as expected'],
    ],
  )
  t.deepEqual(told.toSorted(), ['deadlock', 'fixed'])
  await t.throwsAsync(gate(['nowhere'], { cwd }), {
    instanceOf: UsageError,
    message: 'no such file or folder: nowhere',
  })
  const only = { config: { overrides: [{ match: '*#fixed', skip: true }] } }
  t.is((await gate(['models'], { cwd, cache: CACHE, ...only })).results.length, 1)
})

/** How each runner of docs/testing.md is started, by what its example imports. */
const RUNNERS: Readonly<Record<string, readonly string[]>> = {
  'node:test': ['--test', 'models.test.mjs'],
  ava: ['node_modules/ava/entrypoints/cli.mjs', 'models.test.mjs'],
  vitest: ['node_modules/vitest/vitest.mjs', 'run', 'models.test.mjs'],
}

test('the examples of docs/testing.md pass in their runners, and fail where a scenario does not come out', async (t) => {
  const examples = [...(await readFile('docs/testing.md', 'utf8')).matchAll(/```js\n([\s\S]*?)```/g)].map(
    ([, text]) => text as string,
  )
  t.is(examples.length, Object.keys(RUNNERS).length)
  const model = await readFile('templates/init/models/lock-order.ts', 'utf8')
  for (const example of examples) {
    const [runner, args] = Object.entries(RUNNERS).find(([name]) => example.includes(`from '${name}'`)) as [
      string,
      readonly string[],
    ]
    const cwd = await folder({ 'models/lock-order.ts': model, 'models.test.mjs': example, 'package.json': '{}' })
    await mkdir(join(cwd, 'node_modules'))
    for (const [name, target] of [
      ['vmcheck', '.'],
      ['ava', 'node_modules/ava'],
      ['vitest', 'node_modules/vitest'],
    ] as const)
      await symlink(join(process.cwd(), target), join(cwd, 'node_modules', name))
    const run = (): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, args, {
        cwd,
        env: { ...process.env, VMCHECK_CACHE: CACHE ?? 'off', CI: '1' },
      })
    const { stdout } = await run()
    t.regex(stdout, /2/, runner)
    await writeFile(join(cwd, 'models/lock-order.ts'), model.replace("expect: 'deadlock'", "expect: 'pass'"))
    const failed = await t.throwsAsync(run(), undefined, runner)
    t.regex(
      (failed as unknown as { stdout: string; stderr: string }).stdout +
        (failed as unknown as { stderr: string }).stderr,
      /expected pass, found deadlock/,
      runner,
    )
  }
})

/** Sorts for longer than anybody waits, in its second step. */
const BUSY = modelText(`m.thread(function* a() { yield* pause()
  const all = Array.from({ length: 4_000_000 }, (_, i) => i % 7); for (let i = 0; i < 900_000; i++) { all.sort(); x.v = all[i] as number } })`)

test('a model that keeps its thread busy does not keep who asks: after an abort, or when the time is over', async (t) => {
  const cwd = await folder({
    'models/busy.ts': BUSY,
    'models/fine.ts': modelText('m.thread(function* a() { yield* pause() })'),
  })
  const surroundings = { cwd, cache: CACHE }
  t.is(
    (await explore('models/busy.ts', { ...surroundings, signal: AbortSignal.abort() })).inconclusive?.reason,
    'interrupt',
  )
  await t.throwsAsync(explore('models/busy.ts', { ...surroundings, signal: AbortSignal.timeout(1000) }), {
    message: /does not come back/,
  })
  const { results, status } = await gate(['models'], { ...surroundings, time: 1, workers: 1 })
  t.is(status, 2)
  t.deepEqual(
    results.map(({ file, status: of }) => [file, of]),
    [
      ['models/busy.ts', 'broken'],
      ['models/fine.ts', 'inconclusive'],
    ],
  )
})

test('options that there are not, and values of the wrong kind, are refused', async (t) => {
  const wrong: readonly (readonly [options: object, says: RegExp])[] = [
    [{ granularty: 'access' }, /explore: unknown option granularty; did you mean granularity\?/],
    [{ granularity: 'foo' }, /granularity is "foo", and should be step or access/],
    [{ reduce: 'foo' }, /reduce is "foo"/],
    [{ keepGoing: 'no' }, /keepGoing is "no", and should be true or false/],
    [{ signal: 5 }, /signal is 5, and should be an AbortSignal/],
    [{ toString: 1 }, /unknown option toString/],
  ]
  for (const [options, message] of wrong)
    await t.throwsAsync(explore('models/wire.ts', options as never), { instanceOf: UsageError, message })
  await t.throwsAsync(explore(null as never), { instanceOf: UsageError, message: /the path of a model is a text/ })
  await t.throwsAsync(gate([], { updat: true } as never), { instanceOf: UsageError, message: /did you mean update/ })
})

test('what onProgress throws, explore throws', async (t) => {
  const fails = (): void => {
    throw new Error('boom')
  }
  await t.throwsAsync(explore('bench/models/filter.ts', { set: { n: 5 }, cache: CACHE, onProgress: fails }), {
    message: 'boom',
  })
})
