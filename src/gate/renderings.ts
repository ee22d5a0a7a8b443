import { type JunitCase, plainText, renderCases } from '../report/formats/junit.ts'
import { escapeMarkdown, fence, reportSection } from '../report/formats/markdown.ts'
import { count, plural } from '../report/numbers.ts'
import { type PlainAlert, renderSarif } from '../report/formats/sarif.ts'
import { type Drift, type GateResult, type GateSummary, caseName, foundIn } from './gate-result.ts'
import type { ScenarioStatus } from './judge.ts'

/** Scenarios whose traces are drawn in Markdown: a job summary may have 1 MiB. */
const MAX_SECTIONS = 10

const ORDER: readonly ScenarioStatus[] = ['broken', 'differs', 'inconclusive', 'unchanged', 'as expected']

/** `341 as expected, 1 differs; 52.0 s` */
export function summaryLine({ results, drifts, seconds }: GateSummary): string {
  const of = (status: ScenarioStatus): number => results.filter((result) => result.status === status).length
  const kept = results.filter(({ isKept }) => isKept).length
  const parts = [`${count(of('as expected'))} as expected`]
  if (of('differs') > 0) parts.push(`${plural(of('differs'), 'differs', 'differ')}`)
  if (of('inconclusive') > 0) parts.push(`${count(of('inconclusive'))} inconclusive`)
  if (of('broken') > 0) parts.push(`${count(of('broken'))} cannot be explored`)
  if (of('unchanged') > 0) parts.push(`${count(of('unchanged'))} unchanged and not run`)
  if (drifts.length > 0) parts.push(`${plural(drifts.length, 'differs', 'differ')} from the baseline`)
  return `${parts.join(', ')}${kept > 0 ? ` (${count(kept)} of them from earlier runs)` : ''}; ${seconds.toFixed(1)} s`
}

/** One line for a scenario. */
export function resultLine(result: GateResult): string {
  const { report, isKept, seconds, status } = result
  const steps = report?.violations[0]?.schedule.length ?? 0
  const facts = report
    ? [
        plural(report.stats.states, 'state'),
        ...(steps > 0 ? [plural(steps, 'step')] : []),
        isKept ? 'from an earlier run' : `${seconds.toFixed(1)} s`,
      ]
    : []
  return `${(status === 'differs' ? 'DIFFERS' : status).padEnd(13)}${caseName(result)}: ${[foundIn(result), ...facts].join(', ')}`
}

/** What is wrong with a scenario, and how to see it. */
export function detailLines(result: GateResult): string[] {
  return [
    ...result.differences.map((difference) => `  ${difference}`),
    ...(result.report?.commands ?? []).map((command) => `  again: ${command.replaceAll('\n', '\n  ')}`),
  ]
}

/** Drift from the baseline as a diff. */
export function driftLines(drifts: readonly Drift[]): string[] {
  return drifts.flatMap((drift) => [caseName(drift), ...drift.changes.map((change) => `  ${change}`)])
}

/** Results that are not as they should be, the worst first. */
export function wrong(results: readonly GateResult[]): GateResult[] {
  return results
    .filter(({ status }) => status === 'broken' || status === 'differs' || status === 'inconclusive')
    .toSorted((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status))
}

/** JUnit XML: a case for each scenario that was run or known, which fails where it is not as expected. */
export function gateJunit({ results, drifts }: GateSummary, now: Date): string {
  const cases = results
    .filter(({ status }) => status !== 'unchanged')
    .map((result): JunitCase => {
      const drift = drifts.find((one) => caseName(one) === caseName(result))
      const differences = [...result.differences, ...(drift?.changes ?? [])]
      const type =
        result.status === 'inconclusive'
          ? 'Inconclusive'
          : result.status === 'broken'
            ? 'Broken'
            : result.status === 'differs'
              ? foundIn(result)
              : 'Drift'
      const text = [
        ...differences,
        ...(result.report?.commands ?? []),
        ...(result.status === 'differs' && result.report ? ['', plainText(result.report)] : []),
      ].join('\n')
      return {
        suite: result.file,
        name: result.scenario || 'loads',
        seconds: result.seconds,
        problem:
          differences.length === 0
            ? null
            : {
                form: result.status === 'broken' || result.status === 'inconclusive' ? 'error' : 'failure',
                type,
                message: differences.join('; '),
                text,
              },
      }
    })
  return renderCases(cases, now)
}

/** SARIF: an alert for each scenario that is not as expected, with the traces of what was found. */
export function gateSarif({ results, drifts }: GateSummary): string {
  const differing = results.filter(({ status }) => status === 'differs')
  const alert = (
    rule: string,
    about: string,
    { file, scenario }: Pick<GateResult, 'file' | 'scenario'>,
    message: string,
  ): PlainAlert => ({ rule, about, message, file, scenario })
  const alerts = [
    ...differing
      .filter(({ report }) => report?.verdict !== 'violation')
      .map((result) =>
        alert(
          'unexpected-result',
          'A scenario does not come out as its model expects.',
          result,
          `${caseName(result)}: ${result.differences.join('; ')}`,
        ),
      ),
    ...results
      .filter(({ status }) => status === 'broken' || status === 'inconclusive')
      .map((result) =>
        alert(
          'no-result',
          'Nothing is known of a scenario.',
          result,
          `${caseName(result)}: ${result.differences.join('; ')}`,
        ),
      ),
    ...drifts.map((drift) =>
      alert('drift', 'A result is not the one recorded.', drift, `${caseName(drift)}: ${drift.changes.join('; ')}`),
    ),
  ]
  return renderSarif(
    differing.flatMap(({ report }) => (report?.verdict === 'violation' ? [report] : [])),
    alerts,
  )
}

const SIGNS: Readonly<Record<ScenarioStatus, string>> = {
  'as expected': '✅',
  differs: '❌',
  inconclusive: '⚠️',
  unchanged: '➖',
  broken: '💥',
}

/** Markdown for a pull request or a job summary: a table of the models, then what is wrong, with its space-time diagram. */
export function gateMarkdown(summary: GateSummary): string {
  const { results, drifts } = summary
  const bad = wrong(results)
  const isWell = bad.length === 0 && drifts.length === 0
  const parts = [`## ${isWell ? '✅' : '❌'} vmcheck: ${escapeMarkdown(summaryLine(summary))}`]
  for (const [i, result] of bad.entries()) {
    const differences = result.differences.map((difference) => `- ${escapeMarkdown(difference)}`).join('\n')
    parts.push(`### ${SIGNS[result.status]} ${escapeMarkdown(caseName(result))}`, differences)
    const { report } = result
    if (report && result.status === 'differs' && i < MAX_SECTIONS) parts.push(reportSection(report, '####'))
    else if (report?.commands) parts.push(fence('sh', report.commands.join('\n')))
  }
  if (drifts.length > 0)
    parts.push(
      '### Not as recorded',
      fence('text', driftLines(drifts).join('\n')),
      'If this is meant, record it: `npx vmcheck gate --update`',
    )
  parts.push(...summary.notes.map(escapeMarkdown), modelTable(results))
  return `${parts.join('\n\n')}\n`
}

function modelTable(results: readonly GateResult[]): string {
  const files = [...new Set(results.map(({ file }) => file))]
  const rows = files.map((file) => {
    const mine = results.filter((result) => result.file === file)
    const states = mine.reduce((sum, { report }) => sum + (report?.stats.states ?? 0), 0)
    const worst = ORDER.find((status) => mine.some((result) => result.status === status)) ?? 'as expected'
    return `| ${SIGNS[worst]} ${escapeMarkdown(file)} | ${mine.filter(({ status }) => status === 'as expected').length} of ${mine.length} | ${count(states)} | ${mine.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(1)} |`
  })
  return ['| model | as expected | states | seconds |', '|---|---:|---:|---:|', ...rows].join('\n')
}
