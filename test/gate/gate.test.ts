import { execFileSync } from 'node:child_process'
import { cp, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { loadConfig } from '../../src/config/load.ts'
import { judge, keepsGoing } from '../../src/gate/judge.ts'
import { type Scenario, model } from '../../src/model/model.ts'
import { choice } from '../../src/model/parameters.ts'
import type { Report } from '../../src/report/report.ts'
import { CACHE, folder, vmcheck } from '../harness/command.ts'
import { exploreText, loadOnce, modelText } from '../harness/run.ts'
import { junitSchemas, sarifSchema } from '../harness/schemas.ts'

/** A model with a scenario that passes and one that does not. */
const PAIR = `import { choice, model, struct, u4, when } from 'vmcheck'
const C = struct<{ v: number }>('c', { v: u4 })
export default model({ title: 'pair', params: { limit: choice('high', 'low') },
  scenarios: { good: { expect: { verdict: 'pass', states: 6 } }, bad: { params: { limit: 'low' }, expect: { verdict: 'assertion', property: 'small' } } },
  machine(m, { limit }) {
    const c = m.struct(C, 'c')
    m.cpus(2, () => function* t() { yield* when(() => true, () => { c.v += 1 }); yield* when(() => true, () => { m.assert(limit === 'high' || c.v < 2, 'small') }) })
  } })
`
const ONE =
  "import { model, pause } from 'vmcheck'\nexport default model({ title: 'one', machine(m) { m.thread(function* a() { yield* pause() }) } })\n"
const SLOW = `import { model, range, struct, when } from 'vmcheck'
const C = struct<{ v: number }>('c', { v: range(0, 1_000_000_000) })
export default model({ title: 'slow', scenarios: { a: { expect: 'pass' }, b: { expect: 'pass' } }, machine(m) { const c = m.struct(C, 'c'); const d = m.struct(C, 'd'); for (const x of [c, d]) m.thread(function* a() { for (;;) yield* when(() => true, () => { x.v += 1 }) }, { endless: true }) } })
`

test.serial('models of the repository come out as they say', async (t) => {
  const paths = ['models/mach-unwire.ts', 'models/phoenix-vfork.ts']
  const scenarios = await Promise.all(paths.map(async (path) => (await loadOnce(path)).model.scenarios.size))
  const { status, out, err } = await vmcheck(['gate', ...paths])
  t.is(status, 0, out + err)
  t.regex(out, new RegExp(`^${scenarios.reduce((sum, size) => sum + size, 0)} as expected; `, 'm'))
})

test.serial(
  'a fix switched off: the gate says which scenario, what was expected, what was found, and how to see it',
  async (t) => {
    const cwd = await folder({})
    await cp('models', join(cwd, 'models'), { recursive: true })
    const wire = join(cwd, 'models/wire.ts')
    await writeFile(
      wire,
      (await readFile(wire, 'utf8')).replace(
        "fixed: { walk: 'strict', inhibit: true, mark: true }",
        "fixed: { walk: 'ptr', inhibit: true, mark: true }",
      ),
    )
    const summary = join(cwd, 'summary.md')
    const { status, out } = await vmcheck(
      ['gate', 'models/wire.ts', '--junit', 'gate.xml', '--sarif', 'gate.sarif', '--markdown', 'gate.md'],
      { cwd, env: { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary } },
    )
    t.is(status, 1)
    t.regex(out, /^DIFFERS {6}models\/wire\.ts fixed: deadlock, 2,006 states, 52 steps/m)
    t.regex(
      out,
      /^ {2}expected pass, found deadlock: a cycle of waits: CPU 0 \(wirer\/0\) waits for ipc_kernel_map\.lock/m,
    )
    t.regex(out, /^ {2}again: npx vmcheck explore models\/wire\.ts --scenario fixed$/m)
    t.regex(
      out,
      /^::error file=models\/gnumach\/vm-fault\.ts,line=\d+,col=\d+,title=vmcheck%3A models\/wire\.ts fixed::expected pass%2C|^::error file=models\/gnumach\/vm-fault\.ts,line=\d+,col=\d+,title=vmcheck%3A models\/wire\.ts fixed::expected pass,/m,
    )
    const [, replay] =
      /again: npx vmcheck (replay models\/wire\.ts --scenario fixed \\\n\s+--schedule \S+)/.exec(out) ?? []
    t.is((await vmcheck((replay ?? '').split(/[\s\\]+/), { cwd })).status, 0)
    for (const file of [summary, join(cwd, 'gate.md')]) {
      const text = await readFile(file, 'utf8')
      t.regex(text, /### ❌ models\/wire\.ts fixed/)
      t.regex(text, /\| \| CPU 0: wirer \| CPU 1: neighbour \|/)
      t.regex(text, /sequenceDiagram/)
    }
    t.deepEqual(await (await sarifSchema())(await readFile(join(cwd, 'gate.sarif'), 'utf8')), [])
    const junit = await readFile(join(cwd, 'gate.xml'), 'utf8')
    t.deepEqual(await (await junitSchemas())(junit), [])
    t.is([...junit.matchAll(/<failure /g)].length, [...out.matchAll(/^DIFFERS/gm)].length / 2) // told once as it ends, once in full
  },
)

test.serial('exit status: 2 before 1 before 3 before 0, and every model is gone through all the same', async (t) => {
  const cwd = await folder({ 'models/pair.ts': PAIR, 'models/one.ts': ONE })
  t.is((await vmcheck(['gate'], { cwd })).status, 0)
  await writeFile(join(cwd, 'models/slow.ts'), SLOW)
  const slow = await vmcheck(['gate', '--time', '2'], { cwd })
  t.is(slow.status, 3)
  t.regex(slow.out, /inconclusive models\/slow\.ts b: inconclusive/)
  t.regex(slow.out, /as expected {2}models\/pair\.ts bad/)
  await writeFile(join(cwd, 'models/pair.ts'), PAIR.replace('states: 6', 'states: 7'))
  const counted = await vmcheck(['gate', '--time', '2'], { cwd })
  t.is(counted.status, 1)
  t.regex(counted.out, /expected 7 states, found 6/)
  await writeFile(join(cwd, 'models/broken.ts'), 'export default 1')
  const broken = await vmcheck(['gate', '--time', '2', '--junit', 'j.xml'], { cwd })
  t.is(broken.status, 2)
  t.regex(
    broken.out,
    /broken {7}models\/broken\.ts: not explored\n {2}models\/broken\.ts:1:1: the default export is not a model/,
  )
  t.regex(broken.out, /as expected {2}models\/pair\.ts bad/)
  await writeFile(
    join(cwd, 'models/none.ts'),
    "import { model } from 'vmcheck'\nexport default model({ title: 'none', scenarios: {}, machine() {} })\n",
  )
  t.regex(
    (await vmcheck(['gate', 'models/none.ts'], { cwd })).out,
    /models\/none\.ts has no scenarios: there is nothing to compare/,
  )
  const junit = await readFile(join(cwd, 'j.xml'), 'utf8')
  t.deepEqual(await (await junitSchemas())(junit), [])
  t.regex(junit, /<error [^>]*type="Broken"/)
  t.regex(junit, /<error [^>]*type="Inconclusive"/)
})

test.serial('a time budget is shared: every scenario gets its part', async (t) => {
  const cwd = await folder({ 'models/slow.ts': SLOW, 'models/slower.ts': SLOW })
  const { out } = await vmcheck(['gate', '--time', '4', '--workers', '1'], { cwd })
  const times = [...out.matchAll(/^inconclusive.*, ([\d.]+) s$/gm)].map(([, time]) => Number(time)).slice(0, 4)
  t.is(times.length, 4)
  for (const time of times) t.true(time > 0.4 && time < 2, String(times))
})

test.serial('the configuration says what is run, and how', async (t) => {
  const cwd = await folder({
    'kernels/pair.ts': PAIR,
    'kernels/slow.ts': SLOW,
    'vmcheck.config.ts': `import { defineConfig } from 'vmcheck/config'
const limit: number = 200
export default defineConfig({ paths: ['kernels'], search: { maxStates: 5000 }, overrides: [{ match: 'kernels/pair.ts#b*', skip: true }, { match: 'kernels/slow.ts', maxStates: limit }, { match: '*slow.ts#b', strategy: 'random', runs: 3, maxDepth: 10 }] })`,
  })
  const { status, out, err } = await vmcheck(['gate'], { cwd })
  t.is(status, 3, out + err)
  t.regex(out, /as expected {2}kernels\/pair\.ts good: pass, 6 states/)
  t.notRegex(out, /pair\.ts bad/)
  t.regex(out, /again: npx vmcheck explore kernels\/slow\.ts --scenario b --strategy random --seed 1 --runs 3/)
  const cases: readonly (readonly [text: string, message: RegExp])[] = [
    ['export default { path: [] }', /vmcheck\.config\.ts:1:1: unknown setting path; known: paths, search/],
    ['export default { search: { time: "60" } }', /search\.time is "60", and should be a number of seconds/],
    ['export default { overrides: [{ time: 1 }] }', /overrides\[0\] has no match/],
    ['export const x = 1', /no default export/],
    ['export default {', /vmcheck\.config\.ts:1:\d+: /],
    ["import 'vmcheck'\nexport default {}", /a configuration cannot import "vmcheck"/],
    ['throw new Error("no")', /vmcheck\.config\.ts:1:1: Error: no/],
  ]
  for (const [text, message] of cases) {
    await writeFile(join(cwd, 'vmcheck.config.ts'), text)
    const ran = await vmcheck(['gate'], { cwd })
    t.is(ran.status, 2, text)
    t.regex(ran.err, message)
    t.is(ran.err.trim().split('\n').length, 1)
  }
  t.is((await vmcheck(['gate', '--config', 'none.ts'], { cwd })).status, 2)
})

test.serial('a baseline: recorded, compared, drift shown, recorded again', async (t) => {
  const cwd = await folder({ 'models/pair.ts': PAIR, 'models/one.ts': ONE })
  const run = (...args: string[]): ReturnType<typeof vmcheck> => vmcheck(['gate', '--quiet', ...args], { cwd })
  t.regex((await run('--update')).out, /recorded in vmcheck\.baseline\.json: 3 scenarios/)
  t.is((await run()).status, 0)
  const recorded = await readFile(join(cwd, 'vmcheck.baseline.json'), 'utf8')
  await writeFile(
    join(cwd, 'models/pair.ts'),
    PAIR.replace('c.v < 2', 'c.v < 4')
      .replace("{ verdict: 'assertion', property: 'small' }", "'pass'")
      .replace('m.cpus(2', 'm.cpus(3')
      .replace(', states: 6', ''),
  )
  const drifted = await run()
  t.is(drifted.status, 1)
  t.regex(drifted.out, /models\/pair\.ts bad\n\s+verdict assertion → pass: the violation is gone/)
  t.regex(drifted.out, /models\/pair\.ts good\n\s+states 6 → \d+ \([\d.]+ times as many\)/)
  t.regex(drifted.out, /0 as expected|3 as expected, 2 differ from the baseline/)
  t.is(await readFile(join(cwd, 'vmcheck.baseline.json'), 'utf8'), recorded)
  t.is((await run('--update')).status, 0)
  t.is((await run()).status, 0)
  await rm(join(cwd, 'models/one.ts'))
  t.regex((await run()).out, /models\/one\.ts default\n\s+recorded in the baseline, but no longer exists/)
  t.is((await run('models/pair.ts')).status, 0) // of some paths, others are not missed
  await writeFile(join(cwd, 'vmcheck.baseline.json'), recorded.replace('"semantics": 2', '"semantics": 0'))
  t.is((await run()).status, 2)
  // counts that were made otherwise are not compared, but verdicts are
  const counted = recorded.replace('"semantics": 2', '"semantics": 1').replace('"states": 6', '"states": 7')
  await writeFile(join(cwd, 'vmcheck.baseline.json'), counted)
  const other = await run('models/pair.ts')
  t.is(other.status, 1, other.err + other.out)
  t.notRegex(other.out, /states \d+ →/)
  t.regex(other.out, /models\/pair\.ts bad\n\s+verdict assertion → pass/)
  t.regex(other.err, /semantics 1, those of this version are of 2: only verdicts were compared; record it again/)
  await writeFile(join(cwd, 'vmcheck.baseline.json'), '{')
  t.is((await run()).status, 2)
  t.is((await run('--baseline', 'none.json')).status, 2)
  t.is((await run('--update')).status, 0)
  t.is((await run()).status, 0)
})

test.serial(
  'only what changed is run; kept results are those of this build, these files and this search',
  async (t) => {
    const cwd = await folder({
      'sub/models/pair.ts': "export { default } from '../kernel/pair.ts'\n",
      'sub/kernel/pair.ts': PAIR,
      'sub/models/one.ts': ONE,
    })
    const git = (...args: string[]): void =>
      void execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd, stdio: 'ignore' })
    git('init')
    git('add', '.')
    git('commit', '-m', 'x')
    const sub = join(cwd, 'sub')
    const since = (...args: string[]): ReturnType<typeof vmcheck> =>
      vmcheck(['gate', '--changed-since', 'HEAD', ...args], { cwd: sub })
    t.regex((await since()).out, /0 as expected, 3 unchanged and not run/)
    await writeFile(join(sub, 'kernel/pair.ts'), `${PAIR}\n// changed\n`)
    const first = await since()
    t.is(first.status, 0)
    t.regex(first.out, /2 as expected, 1 unchanged and not run;/)
    t.regex((await since()).out, /2 as expected, 1 unchanged and not run \(2 of them from earlier runs\)/)
    // another file, another result
    await writeFile(join(sub, 'kernel/pair.ts'), PAIR.replace('states: 6', 'states: 5'))
    const third = await since()
    t.is(third.status, 1)
    t.regex(third.out, /expected 5 states, found 6/)
    t.regex((await since('--cache', 'kept')).out, /1 as expected, 1 differs, 1 unchanged and not run;/)
    // a result of another build
    for (const name of await readdir(join(sub, 'kept'))) {
      const path = join(sub, 'kept', name)
      await writeFile(path, (await readFile(path, 'utf8')).replace(/"tool":"[^"]*"/, '"tool":"0.0.9 0000000000000000"'))
    }
    t.notRegex((await since('--cache', 'kept')).out, /from earlier runs/)
    for (const name of await readdir(join(sub, 'kept'))) await writeFile(join(sub, 'kept', name), '{')
    t.notRegex((await since('--cache', 'kept')).out, /from earlier runs/)
    t.regex((await since('--cache', 'kept')).out, /2 of them from earlier runs/)
    const unknown = await vmcheck(['gate', '--changed-since', 'no-such-revision'], { cwd: sub })
    t.is(unknown.status, 2)
    t.regex(unknown.err, /--changed-since no-such-revision: git knows no revision/)
    t.is((await vmcheck(['gate', '--changed-since', '--upload-pack=x'], { cwd: sub })).status, 2)
    const outside = await folder({ 'models/one.ts': ONE })
    t.regex(
      (await vmcheck(['gate', '--changed-since', 'HEAD'], { cwd: outside })).err,
      /this folder is in no git repository/,
    )
  },
)

test.serial('a result is not taken for that of other data, other aliases or other links', async (t) => {
  const text = (value: string): string => `import { model, struct, u4, when } from 'vmcheck'
${value}
const C = struct<{ v: number }>('c', { v: u4 })
export default model({ title: 'data', machine(m) { const c = m.struct(C, 'c'); m.thread(function* a() { yield* when(() => true, () => { c.v = value; m.assert(value < 3, 'small') }) }) } })
`
  const cwd = await folder({
    'models/data.ts': text("import data from './data.json'\nconst value: number = data.value"),
    'models/data.json': '{"value":1}',
    'models/alias.ts': text("import { value } from '@value'"),
    'models/link.ts': text("import { value } from '../now/value.ts'"),
    'one/value.ts': 'export const value: number = 1',
    'five/value.ts': 'export const value: number = 5',
    'tsconfig.json': '{"extends":"./base.json"}',
    'base.json': '{"compilerOptions":{"paths":{"@value":["./one/value.ts"]}}}',
  })
  await symlink('one', join(cwd, 'now'))
  const run = (): ReturnType<typeof vmcheck> => vmcheck(['gate', '--cache', 'kept'], { cwd })
  t.regex((await run()).out, /^3 as expected;/m)
  t.regex((await run()).out, /^3 as expected \(3 of them from earlier runs\);/m)
  await writeFile(join(cwd, 'models/data.json'), '{"value":5}')
  await writeFile(join(cwd, 'base.json'), '{"compilerOptions":{"paths":{"@value":["./five/value.ts"]}}}')
  await rm(join(cwd, 'now'))
  await symlink('five', join(cwd, 'now'))
  t.regex((await run()).out, /^0 as expected, 3 differ;/m)
  for (const name of ['data', 'alias', 'link'])
    t.is((await vmcheck(['explore', `models/${name}.ts`, '--quiet'], { cwd })).status, 1, name)
  await writeFile(join(cwd, 'models/data.ts'), text("import { value } from './value.cjs'"))
  await writeFile(join(cwd, 'models/value.cjs'), 'exports.value = 1')
  t.regex(
    (await run()).out,
    /models\/data\.ts:1:1: a model cannot import models\/value\.cjs: it may import \.ts, \.mts, \.js, \.mjs and \.json files/,
  )
})

test.serial('a search that keeps going and is cut short is no result, and is not kept', async (t) => {
  const cwd = await folder({
    'models/late.ts': `import { model, range, struct, when } from 'vmcheck'
const C = struct<{ v: number }>('c', { v: range(0, 5000) })
export default model({ title: 'late', scenarios: { only: { expect: { verdict: 'invariant', property: 'early' }, allows: ['deadlock'] } }, machine(m) {
  const c = m.struct(C, 'c')
  m.thread(function* a() { while ((yield* when(() => true, () => c.v)) < 4000) yield* when(() => true, () => { c.v += 1 }) })
  m.always('early', () => c.v !== 3)
  m.always('late', () => c.v < 3000)
} })`,
    'vmcheck.config.ts': 'export default { search: { maxStates: 500 } }',
  })
  const cut = await vmcheck(['gate', '--cache', 'kept'], { cwd })
  t.is(cut.status, 3)
  t.regex(cut.out, /inconclusive models\/late\.ts only: invariant/)
  await rm(join(cwd, 'vmcheck.config.ts'))
  const whole = await vmcheck(['gate', '--cache', 'kept'], { cwd })
  t.is(whole.status, 1)
  t.regex(whole.out, /expected invariant of “early”, found invariant: "?late/)
  t.regex(whole.out, /again: npx vmcheck explore models\/late\.ts --scenario only --keep-going/)
  const explored = await vmcheck(['explore', 'models/late.ts', '--keep-going', '--max-states', '500'], { cwd })
  t.is(explored.status, 1)
  t.regex(explored.out, /Note: the search was ended by --max-states: there may be more violations/)
})

test.serial(
  'a renamed scenario and a renamed value keep their former names: command, configuration, baseline',
  async (t) => {
    const cwd = await folder({ 'models/pair.ts': PAIR })
    t.is((await vmcheck(['gate', '--update'], { cwd })).status, 0)
    const renamed = PAIR.replace('good:', "both: { formerly: 'good', expect: { verdict: 'pass', states: 6 } }, gone:")
      .replace("gone: { expect: { verdict: 'pass', states: 6 } }, bad: {", "'too-low': { formerly: ['bad', 'worse'],")
      .replace("choice('high', 'low')", "choice('high', 'low').formerly({ lo: 'low' })")
    await writeFile(join(cwd, 'models/pair.ts'), renamed)
    const compared = await vmcheck(['gate'], { cwd })
    t.is(compared.status, 0, compared.out + compared.err)
    t.is((await vmcheck(['gate', '--update'], { cwd })).status, 0)
    const baseline = JSON.parse(await readFile(join(cwd, 'vmcheck.baseline.json'), 'utf8')) as { models: object }
    t.deepEqual(Object.values(baseline.models).map(Object.keys), [['both', 'too-low']])
    const found = await vmcheck(['explore', 'models/pair.ts', '--scenario', 'worse'], { cwd })
    t.is(found.status, 1)
    t.regex(found.out, /worse is now called too-low; the old name works until the next minor version/)
    t.is((await vmcheck(['explore', 'models/pair.ts', '--set', 'limit=lo'], { cwd })).status, 1)
    await writeFile(
      join(cwd, 'vmcheck.config.ts'),
      "export default { overrides: [{ match: 'models/pair.ts#bad', skip: true }] }",
    )
    t.regex((await vmcheck(['gate'], { cwd })).out, /^1 as expected/m)
    await writeFile(
      join(cwd, 'vmcheck.config.ts'),
      "export default { overrides: [{ match: 'models/pair.ts#b', skip: true }] }",
    )
    t.is((await vmcheck(['gate'], { cwd })).status, 2)
  },
)

test.serial('a scenario that the configuration leaves out keeps its record, and is not reported as gone', async (t) => {
  const cwd = await folder({ 'models/pair.ts': PAIR })
  t.is((await vmcheck(['gate', '--update'], { cwd })).status, 0)
  const recorded = await readFile(join(cwd, 'vmcheck.baseline.json'), 'utf8')
  await writeFile(
    join(cwd, 'vmcheck.config.ts'),
    "export default { overrides: [{ match: 'models/pair.ts#bad', skip: true }] }",
  )
  const gated = await vmcheck(['gate'], { cwd })
  t.is(gated.status, 0, gated.out)
  t.is((await vmcheck(['gate', '--update'], { cwd })).status, 0)
  t.is(await readFile(join(cwd, 'vmcheck.baseline.json'), 'utf8'), recorded)
})

test('a former name must not be another scenario’s, and a former value none that is still taken', (t) => {
  const machine = (): void => {}
  t.throws(() => model({ title: 't', scenarios: { a: {}, b: { formerly: 'a' } }, machine }), {
    message: 'scenario b: formerly says "a", which names a already',
  })
  t.throws(() => model({ title: 't', scenarios: { a: { formerly: ['c'] }, b: { formerly: 'c' } }, machine }), {
    message: 'scenario b: formerly says "c", which names a already',
  })
  for (const name of ['', ' ', 'a\n::warning::b'])
    t.throws(() => model({ title: 't', scenarios: { [name]: {} }, machine }), { message: /give it a name of one line/ })
  for (const formerly of [5, null, new Set(['a']), ['a', 5], ''])
    t.throws(() => model({ title: 't', scenarios: { b: { formerly: formerly as string } }, machine }), {
      message: 'scenario b: formerly takes a name, or a list of names',
    })
  t.throws(() => choice('high', 'low').formerly({ lo: 'low' }).formerly({ lo: 'high' }), {
    message: /lo names low already/,
  })
  t.throws(() => choice('high', 'low').formerly(['high'] as never), { message: /give the present word/ })
  t.throws(() => choice('high', 'low').formerly({ low: 'high' }), { message: /low is still a value/ })
  t.throws(() => choice('high', 'low').formerly({ lo: 'lower' as 'low' }), {
    message: /names lower, which is no value/,
  })
})

test.serial('models in folders below, names of all kinds, and overrides that mean nothing', async (t) => {
  const cwd = await folder({
    'models/one.ts': ONE,
    'models/sub/kernel.ts': "import { pause } from 'vmcheck'\nexport function* step() { yield* pause() }\n",
    'models/sub/deep/bad.ts': ONE.replace('yield* pause()', "yield* pause(); m.assert(false, 'no')"),
    'models/node_modules/x/index.js': 'export default 1',
  })
  const found = await vmcheck(['gate'], { cwd })
  t.is(found.status, 1)
  t.regex(found.out, /^1 as expected, 1 differs;/m)
  await rm(join(cwd, 'models/sub/deep'), { recursive: true })
  await writeFile(
    join(cwd, 'models/odd.ts'),
    "import { model, pause } from 'vmcheck'\nexport default model({ title: 'odd', scenarios: { ['__proto__']: { expect: 'pass' }, toString: { expect: 'pass' }, 'a b': { expect: 'pass' } }, machine(m) { m.thread(function* a() { yield* pause() }) } })\n",
  )
  t.is((await vmcheck(['gate', '--update'], { cwd })).status, 0)
  const odd = await vmcheck(['gate'], { cwd })
  t.is(odd.status, 0, odd.out + odd.err)
  t.regex(odd.out, /4 as expected;/)
  // a model that does not load keeps what was recorded of it
  const recorded = await readFile(join(cwd, 'vmcheck.baseline.json'), 'utf8')
  const text = await readFile(join(cwd, 'models/odd.ts'), 'utf8')
  await writeFile(join(cwd, 'models/odd.ts'), '(')
  t.is((await vmcheck(['gate', '--update'], { cwd })).status, 2)
  t.is(await readFile(join(cwd, 'vmcheck.baseline.json'), 'utf8'), recorded)
  await writeFile(join(cwd, 'models/odd.ts'), text)
  for (const damage of [
    recorded.replace('"transitions": 1', '"transitions": null'),
    recorded.replace(/"models\/one\.ts": \{[^}]*\}\s*\}/, '"models/one.ts": null'),
  ]) {
    t.not(damage, recorded)
    await writeFile(join(cwd, 'vmcheck.baseline.json'), damage)
    const { status, err } = await vmcheck(['gate'], { cwd })
    t.is(status, 2)
    t.regex(err, /^vmcheck: baseline vmcheck\.baseline\.json: what it records of models\/(one|odd)\.ts.* is damaged\n$/)
  }
  await rm(join(cwd, 'vmcheck.baseline.json'))
  await writeFile(
    join(cwd, 'vmcheck.config.ts'),
    "export default { overrides: [{ match: 'models/on.ts', skip: true }] }",
  )
  t.regex((await vmcheck(['gate'], { cwd })).err, /override for models\/on\.ts means no scenario/)
  await writeFile(join(cwd, 'vmcheck.config.ts'), "export default { overrides: [{ match: '*', skip: true }] }")
  const nothing = await vmcheck(['gate'], { cwd })
  t.is(nothing.status, 2)
  t.regex(nothing.err, /there is no scenario to explore: every one is left out/)
  await writeFile(join(cwd, 'vmcheck.config.ts'), 'for (;;);\nexport default {}')
  const endless = await vmcheck(['gate'], { cwd })
  t.is(endless.status, 2)
  t.regex(endless.err, /^vmcheck: vmcheck\.config\.ts:1:1: it runs for more than 5 s: does a loop in it never end\?\n$/)
})

test.serial('Ctrl-C: results so far are reported, the rest is inconclusive', async (t) => {
  const cwd = await folder({ 'models/one.ts': ONE, 'models/slow.ts': SLOW })
  const { status, out } = await vmcheck(['gate'], { cwd, interrupt: 3000 })
  t.is(status, 3)
  t.regex(out, /1 as expected, 2 inconclusive/)
})

test.serial('a model that would end the process cannot, and the others are explored', async (t) => {
  const cwd = await folder({
    'models/one.ts': ONE,
    'models/exit.ts':
      "import { model, pause } from 'vmcheck'\nexport default model({ title: 'x', machine(m) { m.thread(function* a() { yield* pause(); (() => {}).constructor('process.exit(0)')() }) } })\n",
  })
  const { status, out } = await vmcheck(['gate'], { cwd })
  t.is(status, 2)
  t.regex(out, /models\/exit\.ts default[\s\S]*the constructor of functions is used/)
  t.regex(out, /1 as expected, 1 cannot be explored/)
})

test('what is expected: kinds, properties, what else is found or allowed, counts, assumptions', async (t) => {
  const text = modelText(`
  m.thread(function* a() { yield* when(() => true, () => { x.v = 1 }); yield* when(() => true, () => { m.assert(y.v === 0, 'first') }) })
  m.thread(function* b() { yield* when(() => true, () => { y.v = 1 }); yield* when(() => true, () => { m.assert(x.v === 0, 'second') }) })`)
  const both = await exploreText(text, { keepGoing: true })
  t.deepEqual(
    both.violations.map(({ property }) => property),
    ['first', 'second'],
  )
  const one = { ...both, violations: both.violations.slice(0, 1) }
  const pass = await exploreText(modelText('m.thread(function* a() { yield* pause() })'))
  const of = (report: typeof both, scenario: Omit<Scenario<never>, 'params'>, hasCounts = true): string => {
    const { status, differences } = judge(report, scenario as Scenario<never>, hasCounts)
    return [status, ...differences].join(' | ')
  }
  t.is(of(one, { expect: 'assertion' }), 'as expected')
  t.is(of(one, { expect: { verdict: 'assertion', property: 'first' } }), 'as expected')
  t.regex(
    of(one, { expect: { verdict: 'assertion', property: 'second' } }),
    /^differs \| expected assertion of “second”, found assertion: first/,
  )
  t.regex(of(one, { expect: 'deadlock' }), /^differs \| expected deadlock, found assertion: first/)
  t.regex(of(one, { expect: 'pass' }), /^differs \| expected pass, found assertion: first/)
  t.regex(of(pass, { expect: 'deadlock' }), /^differs \| expected deadlock, found pass: nothing is wrong any more/)
  t.is(of(pass, { expect: 'pass' }), 'as expected')
  t.is(
    of(both, {
      expect: { verdict: 'assertion', property: 'first' },
      finds: [{ kind: 'assertion', property: 'second' }],
    }),
    'as expected',
  )
  t.is(of(both, { expect: 'assertion', finds: [{ kind: 'assertion', property: 'first' }] }), 'as expected')
  // one violation is not two
  t.regex(of(one, { expect: 'assertion', finds: [{ kind: 'assertion', property: 'first' }] }), /^differs/)
  t.regex(
    of(both, { expect: 'assertion', allows: ['deadlock'] }),
    /^differs \| expected assertion, found assertion: second/,
  )
  // a search that was cut short may have missed others, but what it found it found
  const cut: Report = { ...one, inconclusive: { reason: 'states', frontier: 3 } }
  t.regex(
    of(cut, { expect: 'assertion', allows: ['deadlock'] }),
    /^inconclusive \| expected assertion; the search was ended by --max-states/,
  )
  t.regex(of(cut, { expect: 'deadlock', allows: ['livelock'] }), /^differs/)
  t.is(of(cut, { expect: 'assertion' }), 'as expected')
  t.throws(() => model({ title: 't', scenarios: { a: { expect: 'pass', finds: ['deadlock'] } }, machine() {} }), {
    message: /expects a pass and finds violations/,
  })
  t.throws(
    () => model({ title: 't', scenarios: { a: { expect: { verdict: 'pass', state: 3 } as never } }, machine() {} }),
    { message: /scenario a: expect says "state"; known: verdict, property, states/ },
  )
  t.is(of(both, { expect: { verdict: 'assertion', property: 'first' }, allows: ['assertion'] }), 'as expected')
  t.is(
    of(one, {
      expect: { verdict: 'assertion', property: 'first' },
      allows: [{ kind: 'assertion', property: 'second' }],
    }),
    'as expected',
  )
  t.regex(
    of(one, {
      expect: { verdict: 'assertion', property: 'first' },
      finds: [{ kind: 'assertion', property: 'second' }],
    }),
    /^differs/,
  )
  t.regex(
    of(both, { expect: { verdict: 'assertion', property: 'first' } }),
    /^differs \| expected assertion of “first”, found assertion: second/,
  )
  t.regex(of(pass, { expect: { verdict: 'pass', states: 3 } }), /expected 3 states, found 2/)
  t.is(of(pass, { expect: { verdict: 'pass', states: 3 } }, false), 'as expected')
  t.regex(of(pass, { expect: { verdict: 'pass', depth: 7 } }), /expected depth 7, found 1/)
  t.regex(
    of({ ...pass, assumed: [{ code: 'check-off', check: 'data-race' }] }, { expect: 'pass' }),
    /passes only under an assumption that the scenario does not state: data-race check off/,
  )
  t.is(
    of({ ...pass, assumed: [{ code: 'check-off', check: 'data-race' }] }, { expect: 'pass', checks: ['stuck'] }),
    'as expected',
  )
  t.regex(
    of({ ...pass, assumed: [{ code: 'preemptions', bound: 2 }] }, { expect: 'pass', checks: ['stuck'] }),
    /preemptions <= 2/,
  )
  t.regex(
    of({ ...pass, verdict: 'inconclusive', inconclusive: { reason: 'time', frontier: 3 } }, { expect: 'pass' }),
    /^inconclusive/,
  )
  t.false(keepsGoing({ expect: 'pass' } as Scenario<never>))
  t.true(keepsGoing({ expect: 'pass', allows: ['livelock'] } as Scenario<never>))
})

test.serial('the composite action runs the gate, keeps results and writes its files', async (t) => {
  const cwd = await folder({ 'models/pair.ts': PAIR })
  const [, script] = /run: \|\n([\s\S]*)$/.exec(await readFile('action.yml', 'utf8')) ?? []
  const env = {
    ...process.env,
    VMCHECK_CACHE: CACHE ?? 'off',
    GITHUB_ACTIONS: '',
    PATHS: '',
    SINCE: '',
    MORE: '--quiet',
    COMMAND: `${process.execPath} ${process.cwd()}/bin/vmcheck.js`,
    RESULTS: '.vmcheck',
  }
  const run = (): string =>
    execFileSync('bash', ['-e', '-o', 'pipefail', '-c', script ?? 'exit 9'], { cwd, env, encoding: 'utf8' })
  t.regex(run(), /^2 as expected;/)
  t.regex(run(), /^2 as expected \(2 of them from earlier runs\);/)
  t.deepEqual((await readdir(join(cwd, '.vmcheck'))).toSorted(), ['cache', 'gate.sarif', 'gate.xml'])
})

test('the configuration that docs/ci.md shows is one', async (t) => {
  const [, text] = /```ts\n(import \{ defineConfig[\s\S]*?)```/.exec(await readFile('docs/ci.md', 'utf8')) ?? []
  const cwd = await folder({ 'vmcheck.config.ts': text ?? '' })
  const config = await loadConfig(cwd, null)
  t.is(config.overrides?.length, 2)
  t.deepEqual(config.paths, ['models'])
})

test.serial('init: an empty folder gets a model, a test and a configuration, and they run', async (t) => {
  const cwd = await folder({})
  const { status, out } = await vmcheck(['init'], { cwd })
  t.is(status, 0)
  for (const file of [
    'models/lock-order.ts',
    'test/models.test.js',
    'vmcheck.config.ts',
    'tsconfig.json',
    'package.json',
  ])
    t.true(out.includes(`wrote ${file}`), file)
  t.is((await vmcheck(['explore', 'models/lock-order.ts'], { cwd })).status, 1)
  t.regex((await vmcheck(['gate'], { cwd })).out, /^2 as expected/m)
  // as after npm install
  await mkdir(join(cwd, 'node_modules'))
  await symlink(process.cwd(), join(cwd, 'node_modules/vmcheck'))
  const env = { ...process.env, VMCHECK_CACHE: CACHE ?? 'off', GITHUB_ACTIONS: '' }
  execFileSync('npm', ['test'], { cwd, env, stdio: 'pipe' })
  await writeFile(
    join(cwd, 'models/lock-order.ts'),
    (await readFile(join(cwd, 'models/lock-order.ts'), 'utf8')).replace(
      "'lower-first' }, expect: 'pass'",
      "'own-first' }, expect: 'pass'",
    ),
  )
  t.throws(() => execFileSync('npm', ['test'], { cwd, env, stdio: 'pipe' }), { message: /npm test/ })
  const again = await vmcheck(['init'], { cwd })
  t.is(again.status, 2)
  t.regex(again.err, /^vmcheck: init: there is models\/lock-order\.ts, .* already; nothing was written\n$/)
  const own = await folder({ 'package.json': '{"name":"mine"}' })
  t.regex((await vmcheck(['init'], { cwd: own })).out, /npm install --save-dev vmcheck/)
  t.is(await readFile(join(own, 'package.json'), 'utf8'), '{"name":"mine"}')
})
