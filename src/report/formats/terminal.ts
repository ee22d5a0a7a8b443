import { assumptionsLine } from '../assumptions.ts'
import { basename } from 'node:path'
import { styleText } from 'node:util'
import cliui from 'cliui'
import { oneLine } from '../../source/texts.ts'
import type { Waiting } from '../../trace/trace.ts'
import { bytes, count, plural } from '../numbers.ts'
import type { Violation } from '../../trace/violation.ts'
import type { Report } from '../report.ts'
import { laneTitle } from '../timeline.ts'
import {
  accessLine,
  cutShort,
  inOrder,
  nothingTold,
  outcome,
  preemptionLine,
  reductionNames,
  subject,
  toldEvents,
  violationLine,
  waitLine,
} from '../wording.ts'

/** How the terminal form is laid out. */
export interface TerminalOptions {
  /** Columns available; at most 100 are used. */
  readonly width: number
  readonly colour: boolean
}

type Style = Parameters<typeof styleText>[0]
/** Gives a text a style. */
export type Paint = (style: Style, text: string) => string

/** Columns of CPUs narrower than this are folded into one. */
const NARROWEST = 30
const GUTTER = 5
/** Objects told of that live CPUs waited at. */
const MAX_CONTENDED = 5

/** The report as text for a terminal: verdict, trace with one column a CPU, waits, command, statistics. */
export function renderTerminal(report: Report, options: TerminalOptions): string {
  const width = Math.max(40, Math.min(100, options.width))
  const paint = painter(options.colour)
  const parts = [headline(report, paint, width)]
  for (const violation of report.violations) parts.push(renderViolation(report, violation, paint, width))
  if (report.violations.length > 0 && report.commands)
    parts.push(['Reproduce:', ...report.commands.map((command) => `  ${command}`)].join('\n'))
  parts.push(
    wrap(unreached(report), width),
    wrap(
      [cutShort(report), ...report.notes]
        .filter(Boolean)
        .map((note) => `Note: ${note}`)
        .join('\n'),
      width,
    ),
    wrap(statistics(report), width),
    wrap(liveStatistics(report), width),
  )
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

/** Paints texts, where there is colour. */
export function painter(colour: boolean): Paint {
  return (style, text) => (colour && text !== '' ? styleText(style, text, { validateStream: false }) : text)
}

/** A text in lines of some width. */
export function wrap(text: string, width: number): string {
  if (text === '') return ''
  const ui = cliui({ width, wrap: true })
  ui.div({ text, padding: [0, 0, 0, 0] })
  return trimRight(ui.toString())
}

function trimRight(text: string): string {
  return text.replace(/[ \t]+$/gm, '')
}

function headline(report: Report, paint: Paint, width: number): string {
  const { model, verdict } = report
  const text =
    verdict === 'violation'
      ? report.violations
          .map((violation) => `${paint(['bold', 'red'], violation.kind.toUpperCase())}  ${violationLine(violation)}`)
          .join('\n')
      : `${paint(['bold', verdict === 'pass' ? 'green' : 'yellow'], verdict.toUpperCase())}  ${outcome(report)}`
  const assumptions = report.assumptions.length > 0 ? `\nAssuming: ${assumptionsLine(report.assumptions)}` : ''
  return `${wrap(text, width)}\n${wrap(`${oneLine(model.title)}\n${subject(model)}${assumptions}`, width)}`
}

/**
 * A violation's trace, one column a CPU, and who waits at its end.
 *
 * @param first number of the trace's first step; the columns are headed where it is 1
 */
export function renderViolation(
  report: Pick<Report, 'actors'>,
  violation: Violation,
  paint: Paint,
  width: number,
  first = 1,
): string {
  const cpus = [...new Set(report.actors.map(({ cpu }) => cpu))].toSorted((a, b) => a - b)
  const isWide = (width - GUTTER) / cpus.length >= NARROWEST
  const ui = cliui({ width, wrap: true })
  if (isWide && violation.steps.length > 0 && first === 1)
    row(
      ui,
      '',
      cpus.map((cpu) => ({ text: paint('bold', laneTitle(report, cpu)), indent: 0 })),
      width,
    )
  const functions = new Map<number, string>()
  violation.steps.forEach((step, i) => {
    const cpu = report.actors[step.actor]?.cpu ?? 0
    const { lines, functionNow } = stepLines(step, functions.get(step.actor) ?? '', isWide ? '' : `CPU ${cpu}: `, paint)
    functions.set(step.actor, functionNow)
    lines.forEach((line, j) => {
      row(
        ui,
        j === 0 ? paint('dim', String(first + i)) : '',
        isWide ? cpus.map((other) => (other === cpu ? line : null)) : [line],
        width,
      )
    })
  })
  return [trimRight(ui.toString()), wrap(ending(report, violation, paint), width)]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** One line of a CPU's column. */
interface Line {
  readonly text: string
  readonly indent: number
}

function row(ui: ReturnType<typeof cliui>, number: string, cells: readonly (Line | null)[], width: number): void {
  const column = Math.floor((width - GUTTER) / cells.length)
  ui.div(
    { text: number, width: GUTTER, padding: [0, 1, 0, 0] as const },
    ...cells.map((line) => ({ text: line?.text ?? '', width: column, padding: [0, 1, 0, line?.indent ?? 0] as const })),
  )
}

/** The lines of a step: why it is this actor's turn, the kernel function where it changes, then one line an event. */
function stepLines(
  step: Violation['steps'][number],
  before: string,
  label: string,
  paint: Paint,
): { lines: Line[]; functionNow: string } {
  const lines: Line[] = []
  const add = (text: string, indent: number): number => lines.push({ text: label + text, indent })
  let functionNow = before
  if (step.because !== '') add(paint('dim', `· ${step.because}`), 0)
  for (const { text, event } of toldEvents(step)) {
    const inside = event.function.join(' › ')
    const short = event.function.slice(-2).join(' › ')
    if (inside !== functionNow && short !== '')
      add(`${paint('cyan', `${short}()`)}${event.at ? ` ${paint('dim', basename(event.at.file))}` : ''}`, 0)
    functionNow = inside
    add(`${text}${event.at ? ` ${paint('dim', `:${event.at.line}`)}` : ''}`, 2)
  }
  if (lines.length === 0) add(paint('dim', nothingTold(step)), 2)
  return { lines, functionNow }
}

function ending(report: Pick<Report, 'actors'>, violation: Violation, paint: Paint): string {
  const placed = (line: string, at: Waiting['at']): string =>
    `  ${line}${at ? paint('dim', ` [${at.file}:${at.line}]`) : ''}`
  const lines = [
    ...inOrder(violation.waiting).map((wait) => placed(waitLine(report, wait), wait.at)),
    ...(violation.accesses ?? []).map((access) => placed(accessLine(report, access), access.at)),
  ]
  const preemptions = (violation.preemptions ?? []).map((preemption) =>
    placed(preemptionLine(report, preemption), preemption.at),
  )
  const block = (title: string, of: readonly string[]): string[] =>
    of.length === 0 ? [] : [[paint('bold', title), ...of].join('\n')]
  return [
    ...block(violation.accesses ? 'Unordered accesses:' : 'Final state:', lines),
    ...block('Preemptions:', preemptions),
  ].join('\n\n')
}

function unreached(report: Report): string {
  if (report.unreached.length === 0) return ''
  const byFile = new Map<string, number[]>()
  for (const { at } of report.unreached) byFile.set(at.file, [...(byFile.get(at.file) ?? []), at.line])
  return [...byFile]
    .map(
      ([file, lines]) =>
        `Never reached: ${file}, ${new Set(lines).size === 1 ? 'line' : 'lines'} ${[...new Set(lines)].join(', ')}`,
    )
    .join('\n')
}

/** What live CPUs did: in all, one by one, and where they waited for each other. */
function liveStatistics({ live, actors }: Report): string {
  if (!live) return ''
  const rate = (points: number): string => count(Math.round(points / Math.max(live.seconds, 0.001)))
  const blocked = live.actors.reduce((sum, { blocked: times }) => sum + times, 0)
  const lines = [
    `${plural(live.rounds, 'round')} in ${live.seconds.toFixed(2)} s on ${plural(live.actors.length, 'thread')}: ${plural(live.points, 'point')}, ${rate(live.points)} a second; ${plural(blocked, 'attempt was', 'attempts were')} blocked; ${plural(live.samples, 'look')} at the standing machine`,
  ]
  for (const { actor, points, blocked: times } of live.actors)
    lines.push(
      `  ${actors[actor]?.name}: ${plural(points, 'point')}, ${rate(points)} a second, blocked ${plural(times, 'time')}`,
    )
  for (const { target, performed, blocked: times } of live.contention.slice(0, MAX_CONTENDED))
    lines.push(`  ${target}: ${plural(performed, 'operation')}, blocked ${plural(times, 'time')}`)
  return lines.join('\n')
}

/** Whether there can be states in which every actor has finished: a handler never does. */
function mayEnd({ actors, stats }: Report): boolean {
  return stats.endStates > 0 || actors.every(({ kind }) => kind !== 'handler')
}

function statistics(report: Report): string {
  if (report.live) return ''
  const { states, transitions, depth, endStates, seconds, workers, granularity, memoryBytes, reduction, executions } =
    report.stats
  return [
    `${plural(states, 'state')}, ${plural(transitions, 'transition')}, depth ${count(depth)}, ${mayEnd(report) ? `${plural(endStates, 'end state')}` : 'no end, for not all actors finish'}${executions > 0 ? `, ${plural(executions, 'execution')}` : ''}`,
    `${seconds.toFixed(2)} s on ${plural(workers, 'worker')}, ${bytes(memoryBytes)}, granularity ${granularity}${reduction.length > 0 ? `, reduced by ${reductionNames(reduction)}` : ''}`,
  ].join('; ')
}
