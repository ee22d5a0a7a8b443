import { spawnSync } from 'node:child_process'
import { readFile, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import test from 'ava'
import type { Report } from '../../src/report/report.ts'
import { folder, vmcheck } from '../harness/command.ts'

const TINY =
  "import { model, pause } from 'vmcheck'\nexport default model({ title: 'tiny', machine(m) { m.thread(function* a() { yield* pause() }) } })\n"
const ENDLESS = `import { model, range, struct, when } from 'vmcheck'
const C = struct<{ v: number }>('c', { v: range(0, 1_000_000_000) })
export default model({ title: 'endless', machine(m) { const c = m.struct(C, 'c'); const d = m.struct(C, 'd'); for (const x of [c, d]) m.thread(function* a() { for (;;) yield* when(() => true, () => { x.v += 1 }) }, { endless: true }) } })
`

test.serial('exit statuses: 0 pass, 1 violation, 3 inconclusive', async (t) => {
  t.is((await vmcheck(['explore', 'models/wire.ts', '--scenario', 'fixed'])).status, 0)
  t.is((await vmcheck(['explore', 'models/wire.ts'])).status, 1)
  const cwd = await folder({ 'endless.ts': ENDLESS })
  const bounded = await vmcheck(['explore', 'endless.ts', '--max-states', '5000', '--json'], { cwd })
  t.is(bounded.status, 3)
  const report = JSON.parse(bounded.out) as Report
  t.is(report.verdict, 'inconclusive')
  t.is(report.inconclusive?.reason, 'states')
  t.true((report.inconclusive?.frontier ?? 0) > 0)
  t.false(report.exhaustive)
  t.is((await vmcheck(['explore', 'endless.ts', '--max-depth', '10', '--quiet'], { cwd })).status, 3)
  t.is((await vmcheck(['explore', 'endless.ts', '--time', '0.6', '--quiet'], { cwd })).status, 3)
  t.is((await vmcheck(['explore', 'endless.ts', '--memory', '8MB', '--quiet'], { cwd })).status, 3)
})

test.serial('a bound that does not bind is a pass; a violation before a bound is a violation', async (t) => {
  t.is((await vmcheck(['explore', 'models/wire.ts', '--scenario', 'fixed', '--max-depth', '48'])).status, 0)
  t.is((await vmcheck(['explore', 'models/wire.ts', '--scenario', 'fixed', '--max-depth', '47'])).status, 3)
  t.is((await vmcheck(['explore', 'models/wire.ts', '--scenario', 'fixed', '--max-states', '100000'])).status, 0)
  t.is((await vmcheck(['explore', 'models/wire.ts', '--max-depth', '52'])).status, 1)
})

test.serial('Ctrl-C ends with what is known, as inconclusive', async (t) => {
  const cwd = await folder({ 'endless.ts': ENDLESS })
  const { status, out } = await vmcheck(['explore', 'endless.ts'], { cwd, interrupt: 2500 })
  t.is(status, 3)
  t.regex(out, /INCONCLUSIVE\s+ended by an interrupt/)
})

test.serial('bad requests: status 2, one line that says what, where and what to do', async (t) => {
  const cwd = await folder({
    'tiny.ts': TINY,
    'syntax.ts': 'export default model({\n  title: }',
    'none.ts': 'export const x = 1',
    'other.ts': 'export default { title: "x" }',
    'throws.ts':
      "import { model } from 'vmcheck'\nexport default model({ title: 't', machine() {\n  const x: any = null\n  x.y()\n} })",
    'empty.ts': "import { model } from 'vmcheck'\nexport default model({ title: 't', machine() {} })",
    'absurd.ts':
      "import { model, struct, u4 } from 'vmcheck'\nconst S = struct<{ v: number }>('s', { v: u4 })\nexport default model({ title: 't', machine(m) { m.array(S, 1e9, 's') } })",
    'wide.ts':
      "import { model, struct, u } from 'vmcheck'\nexport default model({ title: 't', machine(m) { m.struct(struct<{ v: number }>('s', { v: u(64) }), 's') } })",
    'imports.ts': "import { readFileSync } from 'node:fs'\nexport default readFileSync",
    'missing.ts': "import { x } from './nowhere.ts'\nexport default x",
    'spins.ts':
      "import { model, pause } from 'vmcheck'\nexport default model({ title: 't', machine(m) { m.thread(function* a() { yield* pause()\n for (;;) {} }) } })",
    'setup-spins.ts':
      "import { model } from 'vmcheck'\nexport default model({ title: 't', machine() { for (;;) {} } })",
    'deep.ts':
      "import { model, pause, type Program } from 'vmcheck'\nfunction* down(): Program { yield* down() }\nexport default model({ title: 't', machine(m) { m.thread(function* a() { yield* pause(); yield* down() }) } })",
    'scenario.ts':
      "import { model } from 'vmcheck'\nexport default model({ title: 't', scenarios: { a: { expect: 'hang' as never } }, machine() {} })",
  })
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['explore', 'nowhere.ts'], /no such file: nowhere\.ts/],
    [['explore', '.'], /is not a file/],
    [['explore', 'syntax.ts'], /syntax\.ts:2:10: Unexpected token/],
    [['explore', 'none.ts'], /none\.ts:1:1: no default export/],
    [['explore', 'other.ts'], /other\.ts:1:1: the default export is not a model/],
    [['explore', 'throws.ts'], /throws\.ts:4:5: TypeError: Cannot read properties of null/],
    [['explore', 'empty.ts'], /empty\.ts:1:1: machine\(\) makes no actors/],
    [
      ['explore', 'absurd.ts'],
      /absurd\.ts:3:\d+: RangeError: s: count must be an integer from 0 to 65,536 \(got 1000000000\)/,
    ],
    [['explore', 'wide.ts'], /wide\.ts:2:\d+: RangeError: u\(64\): a field has 1 to 32 bits/],
    [['explore', 'imports.ts'], /a model cannot import "(node:)?fs"/],
    [['explore', 'missing.ts'], /missing\.ts:1:19: Could not resolve "\.\/nowhere\.ts"/],
    [['explore', 'spins.ts'], /spins\.ts:3:2: a loop ran 1,000,000 turns without reaching a point/],
    [['explore', 'setup-spins.ts'], /setup-spins\.ts:2:\d+: a loop in machine\(\) does not seem to end/],
    [['explore', 'deep.ts'], /deep\.ts:2:\d+: calls are nested more than 200 deep/],
    [['explore', 'scenario.ts'], /scenario a expects "hang"; known: pass, deadlock/],
    [['explore', 'tiny.ts', '--set', 'cpus=3'], /unknown parameter; this model has no parameters/],
    [['explore', 'tiny.ts', '--set', 'cpus'], /write --set KEY=VALUE/],
    [['explore', 'tiny.ts', '--scenario', 'x'], /has no scenario "x"; it has: default/],
    [['explore', 'tiny.ts', '--check', 'x'], /unknown check "x"; known: stuck/],
    [['explore', 'tiny.ts', '--workers', '0'], /--workers takes a whole number from 1 to 256/],
    [['explore', 'tiny.ts', '--memory', 'lots'], /--memory takes a size/],
    [['explore', 'tiny.ts', '--report', 'x.pdf'], /unknown format/],
    [['explore', 'tiny.ts', '--bogus'], /unknown option --bogus \(vmcheck explore --help shows all\)/],
    [['explore', 'tiny.ts', '--strategy', 'magic'], /--strategy takes bfs, .*, and not magic \(vmcheck/],
    [['explore'], /explore: name a model/],
    [['exlpore', 'tiny.ts'], /unknown command exlpore; .*did you mean explore\?/],
    [['bench', '--help'], /unknown command bench; there are explore/],
    [['explore', 'tiny.ts', '--strategy', 'bsf'], /--strategy takes bfs, .*, and not bsf; did you mean bfs\?/],
    [['explore', 'tiny.ts', '--set', 'colour=x'], /--set colour=x: unknown parameter/],
    [['explore', 'tiny.ts', '--scenaro', 'x'], /unknown option --scenaro; did you mean --scenario\?/],
    [['explore', 'tiny.ts', '--check', 'deadlock'], /a deadlock is found by the check stuck/],
    [['frobnicate'], /unknown command frobnicate; there are explore, run/],
    [[], /name a command/],
  ]
  for (const [args, says] of cases) {
    const { status, out, err } = await vmcheck(args, { cwd })
    t.is(status, 2, `${args.join(' ')}: ${err}`)
    t.is(out, '', args.join(' '))
    t.regex(err, says)
    t.is(
      err
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('vmcheck: ')).length,
      1,
      err,
    )
  }
  const range = await vmcheck(['explore', resolve('bench/models/phil.ts'), '--set', 'n=99'])
  t.is(range.status, 2)
  t.regex(range.err, /--set n=99: n takes 2\.\.15/)
})

test.serial('a worker whose thread takes all of the memory gives no verdict, and nothing hangs', async (t) => {
  // the stack tells where the code runs
  const dies = `import { model, pause, struct, u8 } from 'vmcheck'
const S = struct<{ v: number }>('s', { v: u8 })
const die = () => { if (String(new Error().stack).includes('piscina')) { const all: unknown[] = []; for (let i = 0; i < 900_000; i++) all.push(new Array(1_000_000).fill(i)) } }
export default model({ title: 't', machine(m) {
  const s = m.array(S, 3, 's')
  let n = 0
  m.cpus(3, () => { const own = s[n++]; return function* a() { for (;;) { yield* pause(); own.v = (own.v + 1) % 256; die() } } }, { endless: true })
} })
`
  const cwd = await folder({ 'dies.ts': dies })
  const { status, out, err } = await vmcheck(['explore', 'dies.ts', '--workers', '2'], {
    cwd,
    env: { NODE_OPTIONS: '--max-old-space-size=200' },
  })
  // whether the search sees the memory grow before the thread dies is the machine's to say
  if (status === 3) t.regex(out, /^INCONCLUSIVE {2}ended by the memory budget/)
  else t.regex(`${status} ${err}`, /^2 vmcheck: a worker thread died: .*\n$/)
})

test.serial('a machine that is built differently each time is refused', async (t) => {
  const cwd = await folder({
    'random.ts':
      "import { model, pause, struct, u16 } from 'vmcheck'\nconst S = struct<{ v: number }>('s', { v: u16 })\nconst count = { n: 0 }\nexport default model({ title: 't', machine(m) { m.struct(S, 'x', { v: count.n++ }); m.thread(function* a() { yield* pause() }) } })\n",
  })
  const { status, err } = await vmcheck(['explore', 'random.ts'], { cwd })
  t.is(status, 2)
  t.regex(err, /random\.ts:1:1: machine\(\) builds another machine each time/)
})

test.serial('--profile says where the time went, beside the report', async (t) => {
  const cwd = await folder({ 'tiny.ts': TINY })
  const told = await vmcheck(['explore', 'tiny.ts', '--profile'], { cwd })
  t.is(told.status, 0)
  t.regex(told.out, /^PASS[\s\S]*\nProfile: [\d.]+ s[\s\S]*served by the table: [\d.]+ % of \d+ steps/)
  const { out, err } = await vmcheck(['explore', 'tiny.ts', '--profile', '--json'], { cwd })
  const { profile, stats } = JSON.parse(out) as Report
  t.regex(err, /^\nProfile: /)
  t.is(profile?.transitions, stats.transitions)
  t.true((profile?.asked ?? 0) >= stats.transitions && (profile?.executed ?? 0) > 0)
  t.false('profile' in JSON.parse((await vmcheck(['explore', 'tiny.ts', '--json'], { cwd })).out))
})

test.serial('--json prints the report and nothing else, and --report writes the same', async (t) => {
  const cwd = await folder({ 'tiny.ts': TINY })
  const { status, out, err } = await vmcheck(['explore', 'tiny.ts', '--json', '--report', 'a/r.json'], { cwd })
  t.is(status, 0)
  t.is(err, '')
  const report = JSON.parse(out) as Report
  t.is(report.schema, 'vmcheck.report/1')
  t.is(report.model.name, 'tiny')
  t.is(report.model.file, 'tiny.ts')
  t.regex(report.model.digest, /^[0-9a-f]{64}$/)
  t.deepEqual(report.actors, [{ id: 0, name: 'a/0', cpu: 0, kind: 'thread' }])
  t.is(await readFile(join(cwd, 'a', 'r.json'), 'utf8'), out)
  t.deepEqual(await readdir(join(cwd, 'a')), ['r.json'])
})

test.serial('the terminal form fits its width, down to 80 columns', async (t) => {
  for (const columns of [80, 100, 200]) {
    const { out } = await vmcheck(['explore', 'models/wire.ts'], { columns })
    const widest = Math.max(...out.split('\n').map((line) => line.length))
    t.true(widest <= Math.min(columns, 100), `${columns} columns: ${widest}`)
    t.regex(out, /^DEADLOCK {2}a cycle of waits/)
    t.regex(out, /Reproduce:\n {2}npx vmcheck explore models\/wire\.ts --scenario deadlock/)
    t.notRegex(out, new RegExp(String.fromCharCode(27)))
  }
})

test.serial('list shows models, parameters and scenarios', async (t) => {
  const { status, out } = await vmcheck(['list'])
  t.is(status, 0)
  t.regex(out, /^models\/wire\.ts {2}GNU Mach/m)
  t.regex(out, /--set kernel=original\|patch-1\|head\|fixed {2}\[original\]/)
  t.regex(out, /names-fixed +pass/)
  const json = JSON.parse((await vmcheck(['list', 'models', '--json'])).out) as { scenarios: unknown[] }[]
  t.true((json[0]?.scenarios.length ?? 0) > 10)
})

test.serial('the README’s transcripts are what the commands print', async (t) => {
  const readme = await readFile('README.md', 'utf8')
  const [whole = '', end = ''] = [...readme.matchAll(/```text\n([\s\S]*?)```/g)].map(([, text]) => text)
  const stable = (text: string): string => text.replace(/[\d.]+ s on \d+ workers?, [\d.]+ [kMG]?B/, 'TIME').trim()
  const { out } = await vmcheck(['explore', 'models/mach-unwire.ts'], { columns: 100 })
  t.is(stable(whole), stable(out))
  t.true((await vmcheck(['explore', 'models/wire.ts'], { columns: 100 })).out.includes(end))
  t.true(readme.split('\n').length <= 151, 'the README is at most 150 lines long')
})

test.serial('the README’s first model runs and finds its race', async (t) => {
  const readme = await readFile('README.md', 'utf8')
  const text = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const cwd = await folder({ 'first.ts': text })
  const broken = await vmcheck(['explore', 'first.ts'], { cwd })
  t.is(broken.status, 1, broken.err)
  t.regex(broken.out, /^DATA-RACE/)
  t.is((await vmcheck(['explore', 'first.ts', '--scenario', 'fixed'], { cwd })).status, 0)
})

test.serial('a report is the same whether the model was lowered now or before', async (t) => {
  for (const args of [
    ['models/wire.ts'],
    ['models/phoenix-fork.ts', '--scenario', 'anon-copy'],
    ['models/serenity-cow.ts', '--scenario', 'freed'],
  ]) {
    const reports = [
      await vmcheck(['explore', ...args, '--json', '--workers', '1'], { cache: 'off' }),
      await vmcheck(['explore', ...args, '--json', '--workers', '1']),
      await vmcheck(['explore', ...args, '--json', '--workers', '1']),
    ]
    const [off, cold, warm] = reports.map(({ out }) =>
      out.replace(/"(seconds|bytesPerState|memoryBytes)": [\d.e-]+/g, '$1'),
    )
    t.is(cold, off)
    t.is(warm, off)
  }
})

test.serial(
  'strategies: options that one of them does not know are refused, seeds are, and a bound on preemptions is told',
  async (t) => {
    for (const args of [
      ['--strategy', 'dfs', '--reduce', 'all'],
      ['--strategy', 'dpor', '--workers', '2'],
      ['--preemptions', '2'],
      ['--seed', '3'],
      ['--strategy', 'random', '--bug-depth', '2'],
      ['--strategy', 'pct', '--profile'],
    ]) {
      const { status, err } = await vmcheck(['explore', 'models/wire.ts', ...args])
      t.is(status, 2, args.join(' '))
      t.regex(err, /^vmcheck: --[\w-]+ goes with --strategy [\w ]+, not with \w+\n$/)
    }
    const bound = await vmcheck([
      'explore',
      'models/wire.ts',
      '--scenario',
      'fixed',
      '--strategy',
      'dfs',
      '--preemptions',
      '1',
    ])
    t.is(bound.status, 3)
    t.regex(bound.out, /INCONCLUSIVE {2}ended by --preemptions, which kept executions from being followed/)
    const random = await vmcheck(['explore', 'models/wire.ts', '--strategy', 'random', '--seed', '5'])
    t.is(random.status, 1)
    t.regex(random.out, /--strategy random --seed 5/)
  },
)

test.serial('graph: the formats by extension, a bound, and what cannot be written', async (t) => {
  const cwd = await folder({ 'tiny.ts': TINY })
  const out = await vmcheck(['graph', 'tiny.ts', '--format', 'aut'], { cwd })
  t.deepEqual([out.status, out.out], [0, 'des (0,1,2)\n(0,"CPU 0: pause",1)\n'])
  t.is((await vmcheck(['graph', 'tiny.ts', '-o', 'out/tiny.dot'], { cwd })).status, 0)
  t.regex(await readFile(join(cwd, 'out/tiny.dot'), 'utf8'), /^digraph "tiny, default" \{/)
  t.is((await vmcheck(['graph', 'tiny.ts', '--max-states', '1'], { cwd })).status, 3)
  const unknown = await vmcheck(['graph', 'tiny.ts', '-o', 'tiny.png'], { cwd })
  t.deepEqual(
    [unknown.status, unknown.err],
    [2, 'vmcheck: --output tiny.png: unknown format; the extension may be .dot or .aut, or give --format\n'],
  )
})

test('the command that is printed shows each kind of finding again, on live CPUs', async (t) => {
  for (const file of [
    'verdicts/race-any-order',
    'verdicts/dfs-spin',
    'verdicts/hang-bits-renamed',
    'twins/use-after-free',
    'twins/lock-order',
    'twins/lost-wakeup',
  ]) {
    const { out } = await vmcheck(['explore', `test/models/${file}.ts`, '--json'])
    const line = (JSON.parse(out) as Report).commands?.at(-1) ?? ''
    t.regex(line, /npx vmcheck replay/, file)
    const shell = line.replaceAll('npx vmcheck', `${process.execPath} bin/vmcheck.js`)
    t.is(spawnSync('sh', ['-c', shell], { encoding: 'utf8' }).status, 0, line)
  }
})
