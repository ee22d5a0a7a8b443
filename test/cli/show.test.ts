import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import test from 'ava'
import type { Report } from '../../src/report/report.ts'
import { folder, vmcheck } from '../harness/command.ts'

const WIRE = resolve('models/wire.ts')
const EXTENSIONS = ['.html', '.itf.json', '.json', '.md', '.perfetto.json', '.sarif', '.xml']

test.serial(
  'several reports at once, each in the format of its extension, and nothing half-written beside them',
  async (t) => {
    const cwd = await folder({})
    const { status } = await vmcheck(
      ['explore', WIRE, '--quiet', ...EXTENSIONS.flatMap((extension) => ['--report', `deep/down/wire${extension}`])],
      { cwd },
    )
    t.is(status, 1)
    t.deepEqual(
      (await readdir(join(cwd, 'deep/down'))).toSorted(),
      EXTENSIONS.map((extension) => `wire${extension}`),
    )
    t.regex(await readFile(join(cwd, 'deep/down/wire.html'), 'utf8'), /^<!doctype html>/)
    t.regex(await readFile(join(cwd, 'deep/down/wire.sarif'), 'utf8'), /"version": "2\.1\.0"/)
  },
)

test.serial('an unknown format is refused before anything is explored', async (t) => {
  const cwd = await folder({})
  for (const file of ['wire.pdf', 'wire', '.json5']) {
    const { status, err } = await vmcheck(['explore', 'none.ts', '--report', file], { cwd })
    t.is(status, 2)
    t.regex(
      err,
      /^vmcheck: --report \S+: unknown format; the extension may be \.html \.itf\.json \.json \.md \.perfetto\.json \.sarif \.xml\n$/,
    )
  }
})

test.serial('show prints a report as it was printed, from a file and from standard input', async (t) => {
  const cwd = await folder({})
  const explored = await vmcheck(['explore', WIRE, '--explain', '--report', 'wire.json'], { cwd })
  const shown = await vmcheck(['show', 'wire.json'], { cwd })
  t.is(shown.status, 0)
  t.is(shown.out, explored.out)
  const piped = await vmcheck(['show', '-'], { cwd, input: await readFile(join(cwd, 'wire.json'), 'utf8') })
  t.is(piped.out, explored.out)
  const again = await vmcheck(['show', 'wire.json', '--json'], { cwd })
  t.deepEqual(JSON.parse(again.out), JSON.parse(await readFile(join(cwd, 'wire.json'), 'utf8')))
})

test.serial('show converts: every format, alike to that which exploring writes', async (t) => {
  const cwd = await folder({})
  await vmcheck(['explore', WIRE, '--quiet', ...EXTENSIONS.flatMap((extension) => ['--report', `a${extension}`])], {
    cwd,
  })
  const { status, out } = await vmcheck(
    ['show', 'a.json', ...EXTENSIONS.flatMap((extension) => ['--report', `b${extension}`])],
    { cwd },
  )
  t.is(status, 0)
  t.is(out, '')
  const text = async (name: string): Promise<string> =>
    (await readFile(join(cwd, name), 'utf8')).replace(/timestamp="[^"]*"/, '')
  for (const extension of EXTENSIONS) t.is(await text(`b${extension}`), await text(`a${extension}`), extension)
})

test.serial('several scenarios: a list stays a list', async (t) => {
  const cwd = await folder({
    'two.ts':
      "import { model, pause } from 'vmcheck'\nexport default model({ title: 'two', scenarios: { a: { expect: 'pass' }, b: { expect: 'pass' } }, machine(m) { m.thread(function* t() { yield* pause() }) } })\n",
  })
  const explored = await vmcheck(['explore', 'two.ts', '--all', '--report', 'two.json', '--report', 'two.xml'], { cwd })
  t.is((JSON.parse(await readFile(join(cwd, 'two.json'), 'utf8')) as Report[]).length, 2)
  t.is([...(await readFile(join(cwd, 'two.xml'), 'utf8')).matchAll(/<testcase /g)].length, 2)
  t.is((await vmcheck(['show', 'two.json'], { cwd })).out, explored.out)
})

test.serial('what is no report is refused in one line', async (t) => {
  const cwd = await folder({
    'empty.json': '',
    'other.json': '{"a":1}',
    'list.json': '[]',
    'text.json': 'verdict: pass',
  })
  for (const file of ['none.json', 'empty.json', 'other.json', 'list.json', 'text.json', '.']) {
    const { status, err, out } = await vmcheck(['show', file, '--report', 'x.html'], { cwd })
    t.is(status, 2, file)
    t.regex(err, /^vmcheck: [^\n]+\n$/, file)
    t.is(out, '')
  }
  t.false((await readdir(cwd)).includes('x.html'))
  await writeFile(
    join(cwd, 'bad.json'),
    (await readFile('test/report/first-0.1.0.json', 'utf8')).replace('"verdict": "violation"', '"verdict": 3'),
  )
  t.regex((await vmcheck(['show', 'bad.json'], { cwd })).err, /bad\.json: not a report, or a damaged one: verdict is 3/)
})

test.serial('an operation called write is named, as a field that is written is not', async (t) => {
  const model =
    "import { model, pause, struct, u1 } from 'vmcheck'\nimport { RwSpinLock } from 'vmcheck/vm'\nexport default model({ title: 't', machine(m) { const l = new RwSpinLock(m, 'l'); const s = m.struct(struct<{ v: number }>('s', { v: u1 }), 's'); m.thread(function* a() { yield* l.write(); s.v = 1; yield* l.release(); yield* pause(); m.assert(false, 'never') }) } })\n"
  const { out } = await vmcheck(['explore', 'model.ts'], { cwd: await folder({ 'model.ts': model }) })
  t.regex(out, /write l :3/)
  t.regex(out, /^ +s\.v 0 → 1 :3/m)
})
