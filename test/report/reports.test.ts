import { readFile } from 'node:fs/promises'
import test from 'ava'
import type { Log } from 'sarif'
import { modelFiles } from '../../src/session/model-files.ts'
import { expectedVerdict } from '../../src/model/model.ts'
import { FORMATS, formatOf } from '../../src/report/formats/formats.ts'
import { readReports } from '../../src/report/read.ts'
import { SCHEMA, reportSchema as schemaOfReports } from '../../scripts/report-schema.ts'
import type { Report } from '../../src/report/report.ts'
import { renderTerminal } from '../../src/report/formats/terminal.ts'
import { timelineOf } from '../../src/report/timeline.ts'
import { exploreFile, exploreText, loadOnce, modelText } from '../harness/run.ts'
import { junitSchemas, reportSchema, sarifSchema } from '../harness/schemas.ts'

/** What a reader of one format gets. */
async function rendered(extension: string, ...reports: readonly Report[]): Promise<string> {
  return (await formatOf(`x${extension}`)?.render(reports, reports.length > 1)) ?? ''
}

/** One violation of every model, a pass, and a search without an end. */
async function samples(): Promise<Report[]> {
  const reports: Report[] = []
  for (const path of await modelFiles('models', process.cwd())) {
    const { model } = await loadOnce(path)
    const [name] =
      [...model.scenarios].find(([, { expect, large }]) => !large && expectedVerdict(expect) !== 'pass') ?? []
    if (name !== undefined)
      reports.push({
        ...(await exploreFile(path, { scenario: name })),
        commands: [`npx vmcheck explore ${path} --scenario ${name}`],
      })
  }
  const wire = 'models/wire.ts'
  reports.push(await exploreFile(wire, { scenario: 'fixed' }))
  reports.push(
    await exploreFile(wire, {
      scenario: 'fixed',
      limits: { maxStates: 100, maxDepth: Infinity, time: Infinity, memory: 4e9 },
    }),
  )
  reports.push(await exploreFile(wire, { explain: true }))
  return reports
}

/** A model whose names are whatever might be taken for markup or syntax. */
const HOSTILE = `</title></script><script>alert(1)</script> & "x" 'y' \`z\` | end; --> {{7*7}} \\u0000 *b* [l](http://x) ]]>`
const hostile = (): Promise<Report> =>
  exploreText(
    `import { model, struct, u4, when } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'
const NAME = ${JSON.stringify(HOSTILE.replace('\\u0000', '\u0001'))}
const C = struct<{ v: number }>(NAME, { v: u4 })
export default model({ title: NAME, scenarios: { [NAME]: { expect: 'deadlock' } }, machine(m) {
  const c = m.struct(C, NAME)
  const a = new Mutex(m, NAME + ' a')
  const b = new Mutex(m, NAME + ' b')
  for (const [x, y] of [[a, b], [b, a]]) m.thread(function* script() { yield* x.acquire(); yield* when(() => true, () => { c.v += 1 }); yield* y.acquire(); yield* y.release(); yield* x.release() })
} })`,
  )

const all = samples()

test('the published schema is the one of the type of reports: npm run schema writes it', async (t) => {
  t.deepEqual(JSON.parse(await readFile(SCHEMA, 'utf8')), JSON.parse(schemaOfReports()))
})

test('every report is as the published schema says', async (t) => {
  const validate = await reportSchema()
  const reports = [
    ...(await all),
    await hostile(),
    ...readReports(await readFile('test/report/first-0.1.0.json', 'utf8')),
  ]
  for (const report of reports)
    t.deepEqual(await validate(JSON.stringify(report)), [], `${report.model.file} ${report.model.scenario}`)
  t.true(reports.length > 20)
  t.is((await validate(JSON.stringify({ ...reports[0], verdict: 'fine' }))).length, 1)
})

test('what is read back from a saved report is the report', async (t) => {
  for (const report of await all) {
    const [read] = readReports(await rendered('.json', report))
    t.deepEqual(read, JSON.parse(JSON.stringify(report)))
  }
})

test('SARIF files are as the official schema says; a result a violation, a thread flow a CPU, one order over all of them', async (t) => {
  const validate = await sarifSchema()
  const reports = [...(await all), await hostile()]
  for (const list of [...reports.map((report) => [report]), reports]) {
    const text = await rendered('.sarif', ...list)
    t.deepEqual(await validate(text), [])
    const [run] = (JSON.parse(text) as Log).runs
    t.is(
      run?.results?.length,
      list.reduce((sum, { violations }) => sum + violations.length, 0),
    )
    for (const result of run?.results ?? []) {
      t.is(run?.tool.driver.rules?.[result.ruleIndex as number]?.id, result.ruleId)
      const flows = result.codeFlows?.[0]?.threadFlows ?? []
      const order = flows.flatMap(({ locations }) => locations.map(({ executionOrder }) => executionOrder as number))
      t.deepEqual(
        order.toSorted((a, b) => a - b),
        order.map((_, i) => i + 1),
      )
      for (const { locations } of flows)
        t.deepEqual(
          locations.map(({ executionOrder }) => executionOrder),
          locations.map(({ executionOrder }) => executionOrder).toSorted((a, b) => (a as number) - (b as number)),
        )
      t.false(result.locations?.[0]?.physicalLocation?.artifactLocation?.uri?.startsWith('vmcheck/vm') ?? true)
    }
  }
  t.not((await validate('{"version":"2.1.0","runs":[{}]}')).length, 0)
})

test('JUnit files are as the common schemas say: a case a scenario', async (t) => {
  const reports = [...(await all), await hostile()]
  const text = await rendered('.xml', ...reports)
  const validate = await junitSchemas()
  t.deepEqual(await validate(text), [])
  t.not((await validate(text.replace('hostname=', 'host='))).length, 0)
  t.is([...text.matchAll(/<testcase /g)].length, reports.length)
  t.is([...text.matchAll(/<failure /g)].length, reports.filter(({ verdict }) => verdict === 'violation').length)
  t.is([...text.matchAll(/<error [^>]*type="Inconclusive"/g)].length, 1)
})

/** Whether a number stands anywhere in a value as it is. */
function hasNumber(value: unknown): boolean {
  return (
    typeof value === 'number' || (typeof value === 'object' && value !== null && Object.values(value).some(hasNumber))
  )
}

test('ITF traces: every variable in every state, of one type, in encoded integers', async (t) => {
  const typeOf = (value: unknown): string =>
    typeof value === 'object' && value !== null
      ? Object.keys(value)
          .toSorted()
          .map((key) => `${key}:${key === '#set' ? '' : typeOf((value as Record<string, unknown>)[key])}`)
          .join()
      : typeof value
  for (const report of await all) {
    const { vars, states } = JSON.parse(await rendered('.itf.json', report)) as {
      vars: string[]
      states: Record<string, unknown>[]
    }
    t.is(new Set(vars).size, vars.length)
    t.true(
      vars.every((name) => /^[A-Za-z_]\w*$/.test(name)),
      vars.join(),
    )
    const [violation] = report.violations
    t.is(states.length, violation ? violation.steps.length + 1 : 0)
    for (const state of states) t.deepEqual(Object.keys(state).toSorted(), ['#meta', ...vars].toSorted())
    for (const name of vars)
      t.is(
        new Set(states.map((state) => typeOf(state[name]))).size,
        states.length > 0 ? 1 : 0,
        `${report.model.file} ${name}`,
      )
    t.false(hasNumber(states.map(({ '#meta': _, ...rest }) => rest)), report.model.file)
  }
})

test('Perfetto traces: slices of one track do not overlap, and every flow has two ends', async (t) => {
  for (const report of await all) {
    const { traceEvents } = JSON.parse(await rendered('.perfetto.json', report)) as {
      traceEvents: { ph: string; pid: number; tid: number; ts: number; dur: number; id: number }[]
    }
    const slices = traceEvents.filter(({ ph }) => ph === 'X')
    t.true(slices.filter(({ pid }) => pid === 1).length >= (report.violations[0]?.steps.length ?? 0))
    for (const key of new Set(slices.map(({ pid, tid }) => `${pid} ${tid}`))) {
      const track = slices.filter(({ pid, tid }) => `${pid} ${tid}` === key).toSorted((a, b) => a.ts - b.ts)
      track.forEach(
        ({ ts }, i) =>
          i > 0 &&
          t.true(
            ts >= (track[i - 1] as (typeof track)[0]).ts + (track[i - 1] as (typeof track)[0]).dur,
            `${report.model.file} ${key}`,
          ),
      )
    }
    const flows = traceEvents.filter(({ ph }) => ph === 's' || ph === 'f')
    for (const { id } of flows) t.is(flows.filter((flow) => flow.id === id).length, 2)
  }
})

test('Markdown: verdict, a column a CPU, diagrams, the commands; nothing of a model is markup', async (t) => {
  const [wire] = (await all).filter(({ model, verdict }) => model.file === 'models/wire.ts' && verdict === 'violation')
  const text = await rendered('.md', wire as Report)
  t.regex(text, /^## ❌ deadlock: GNU Mach/)
  t.regex(text, /\| \| CPU 0: wirer \| CPU 1: neighbour \|/)
  t.is([...text.matchAll(/```mermaid/g)].length, 2)
  t.is([...text.matchAll(/^\| \d+ \|/gm)].length, 52)
  t.regex(text, /npx vmcheck explore models\/wire\.ts/)
  for (const row of text.split('\n').filter((line) => line.startsWith('| ')))
    t.true([2, 3].includes([...row.matchAll(/(?<!\\)\|/g)].length - 1), row)
  const bad = await rendered('.md', await hostile())
  const plain = bad.replace(/(?<!`)(`+) [^\n]*? \1(?!`)/g, '')
  t.notRegex(plain, /<script/)
  t.notRegex(plain, /(?<!\\)\[l(?<!\\)\]\(http/)
  for (const [, diagram] of bad.matchAll(/```mermaid\n([\s\S]*?)```/g))
    t.notRegex((diagram as string).replace(/#(?!8203)\d+;|-->>|->>|-->|--x/g, ''), /[<>`{}]|\bend\b(?!#)/)
})

test('the state that a report’s changes add up to is the machine’s: holds and waits follow from it', async (t) => {
  for (const report of await all) {
    for (const violation of report.violations) {
      const { states, holds, waits } = timelineOf(report, violation)
      t.is(states.length, violation.steps.length + 1)
      violation.steps.forEach((step, i) => {
        for (const { field, from, to } of [...step.changes, ...(step.inside ?? [])]) {
          t.deepEqual(states[i]?.[field], from, `${report.model.file} step ${i + 1} ${field}`)
          t.deepEqual(states[i + 1]?.[field], to)
        }
      })
      // whoever is told to hold what another waits for holds it at the end of the trace
      for (const { heldBy, target } of violation.waiting) {
        const isLock = holds.some(({ object }) => object === target)
        for (const holder of isLock ? heldBy : [])
          t.true(
            holds.some(
              ({ actor, object, to }) => actor === holder && object === target && to === violation.steps.length,
            ),
            `${report.model.file}: ${target} held by ${holder}`,
          )
      }
      for (const { actor } of violation.waiting.filter(
        ({ operation, actor: who }) =>
          operation !== 'spin' && violation.steps.at(-1)?.waits?.some((wait) => wait.actor === who),
      ))
        t.true(waits.some((wait) => wait.actor === actor && wait.to === violation.steps.length))
    }
  }
})

test('a report of the first version is still read, shown and converted', async (t) => {
  const [report] = readReports(await readFile('test/report/first-0.1.0.json', 'utf8')) as [Report]
  t.is(report.machine, undefined)
  t.regex(renderTerminal(report, { width: 100, colour: false }), /^DEADLOCK {2}a cycle of waits/)
  for (const { extension } of FORMATS) t.true((await rendered(extension, report)).length > 500, extension)
})

test('a damaged report is refused where it is damaged', async (t) => {
  const report = JSON.parse(await rendered('.json', (await all)[0] as Report)) as Record<string, unknown>
  const damage = (path: string, value: unknown): string => {
    const copy = structuredClone(report) as Record<string, never>
    const keys = path.split('.')
    let at: Record<string, never> = copy
    for (const key of keys.slice(0, -1)) at = at[key] as never
    at[keys.at(-1) as string] = value as never
    return JSON.stringify(copy)
  }
  const cases: readonly (readonly [path: string, value: unknown, message: RegExp])[] = [
    ['stats.states', 'many', /stats\.states is "many"/],
    ['model.title', 7, /model\.title is 7/],
    ['violations.0.steps.0.actor', 99, /steps\[0\]\.actor is 99/],
    ['violations.0.steps.0.events.0.at', 'here', /events\[0\]\.at is "here"/],
    ['machine.0.fields', null, /machine\[0\]\.fields is null/],
    ['sources', 3, /sources is 3/],
    ['tool', null, /tool is null/],
    ['verdict', 'fine', /verdict is "fine"/],
    ['notes', [null], /notes\[0\] is null/],
    ['assumptions', [1], /assumptions\[0\] is 1/],
    ['machine', null, /machine is null/],
    ['sources', null, /sources is null/],
    ['violations.0.accesses', null, /accesses is null/],
    ['violations.0.kind', 'zz', /violations\[0\]\.kind is "zz", and should be one of deadlock/],
    ['violations.0.steps.0.events.0.at', undefined, /events\[0\]\.at is missing/],
    ['verdict', 'pass', /verdict is pass, and there are 1 violations/],
    ['model.params', JSON.parse('['.repeat(200) + ']'.repeat(200)), /values are nested more than 100 deep/],
    ['schema', 'vmcheck.report/9', /its schema is "vmcheck\.report\/9"/],
  ]
  for (const [path, value, message] of cases) t.throws(() => readReports(damage(path, value)), { message }, path)
  t.is(readReports(`\uFEFF${JSON.stringify(report)}`).length, 1, 'a byte order mark')
})

test('of the shortest traces the report has the one with the fewest switches', async (t) => {
  // both threads take two steps before the assertion can fail; a trace with one switch exists
  const report = await exploreText(
    modelText(`
  for (const cell of [x, y]) m.thread(function* t() { yield* when(() => true, () => { cell.v = 1 }); yield* when(() => true, () => { cell.v = 2 }); yield* when(() => true, () => { m.assert(!(x.v === 2 && y.v === 2), 'not both') }) })`),
  )
  const { steps } = report.violations[0] as Report['violations'][0]
  t.is(steps.length, 5)
  t.is(steps.filter(({ actor }, i) => i > 0 && actor !== steps[i - 1]?.actor).length, 1)
})
