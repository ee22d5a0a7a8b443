import { assumptionsLine } from '../assumptions.ts'
import type { Violation } from '../../trace/violation.ts'
import { plural } from '../numbers.ts'
import type { Report } from '../report.ts'
import { type Timeline, timelineOf } from '../timeline.ts'
import {
  accessLine,
  cutShort,
  inOrder,
  outcome,
  preemptionLine,
  statisticRows,
  stepLines,
  subject,
  waitLine,
} from '../wording.ts'

/** Steps of a sequence diagram: longer ones do not fit a screen, and begin later. */
const MAX_MESSAGES = 60
/** Steps of a table, the last ones: a job's summary on GitHub has 1 MiB for all of them. */
const MAX_ROWS = 200

const SIGNS: Readonly<Record<Report['verdict'], string>> = {
  pass: '✅ pass',
  violation: '❌',
  inconclusive: '⚠️ inconclusive',
}

/** Reports for a bug tracker or a pull request: GitHub's Markdown, with Mermaid diagrams. */
export function renderMarkdown(reports: readonly Report[]): string {
  return `${reports.map((report) => reportSection(report, '##')).join('\n\n---\n\n')}\n`
}

/**
 * One report as a section.
 * @param heading the marks of its heading, such as `##`
 */
export function reportSection(report: Report, heading: string): string {
  const { model, verdict, violations, assumptions } = report
  const parts = [
    `${heading} ${SIGNS[verdict]}${verdict === 'violation' ? ` ${violations.map(({ kind }) => kind).join(', ')}` : ''}: ${escapeMarkdown(model.title)}`,
    `${code(subject(model))}`,
  ]
  if (verdict !== 'violation') parts.push(`${escapeMarkdown(sentence(outcome(report)))}`)
  if (assumptions.length > 0) parts.push(`Assuming: ${escapeMarkdown(assumptionsLine(assumptions))}.`)
  for (const violation of violations) parts.push(...violationParts(report, violation, heading))
  if (violations.length > 0 && report.commands) parts.push('To see it again:', fence('sh', report.commands.join('\n')))
  parts.push(
    details(
      'Parameters and statistics',
      table([
        ['', ''],
        ...Object.entries(model.params).map(([key, value]): [string, string] => [key, String(value)]),
        ...statisticRows(report),
      ]),
    ),
  )
  for (const note of [cutShort(report), ...report.notes].filter(Boolean)) parts.push(`Note: ${escapeMarkdown(note)}`)
  return parts.join('\n\n')
}

function violationParts(report: Report, violation: Violation, heading: string): string[] {
  const timeline = timelineOf(report, violation)
  const { steps, waiting, accesses = [] } = violation
  return [
    `**${violation.kind}**: ${escapeMarkdown(sentence(violation.message))}${steps.length > 0 ? ` ${violation.minimal ? 'No trace is shorter than its' : 'Its trace has'} ${plural(steps.length, 'step')}.` : ''}`,
    ...(waiting.length + accesses.length > 0
      ? [
          [
            ...inOrder(waiting).map((wait) => `- ${place(waitLine(report, wait), wait.at)}`),
            ...accesses.map((access) => `- ${place(accessLine(report, access), access.at)}`),
          ].join('\n'),
        ]
      : []),
    ...(violation.preemptions && violation.preemptions.length > 0
      ? [
          `${heading}# Preemptions`,
          violation.preemptions
            .map((preemption) => `- ${place(preemptionLine(report, preemption), preemption.at)}`)
            .join('\n'),
        ]
      : []),
    ...(waiting.some(({ heldBy }) => heldBy.length > 0)
      ? [`${heading}# Who waits for whom`, fence('mermaid', waitGraph(report, violation))]
      : []),
    ...(steps.length > 0
      ? [
          `${heading}# The trace`,
          columns(violation, timeline),
          details('As a sequence diagram', fence('mermaid', sequence(violation, timeline))),
        ]
      : []),
  ]
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

function place(line: string, at: Violation['waiting'][number]['at']): string {
  return `${escapeMarkdown(line)}${at ? ` ${code(`${at.file}:${at.line}`)}` : ''}`
}

/** A table with one column a CPU. */
function columns({ steps }: Violation, { lanes, laneOf }: Timeline): string {
  const first = Math.max(0, steps.length - MAX_ROWS)
  const rows = steps.slice(first).map((step, k) => {
    const i = first + k
    const lane = laneOf[step.actor]
    const at = step.events.at(-1)?.at
    const cell = [
      ...(step.because === '' ? [] : [`*${escapeMarkdown(step.because)}*`]),
      ...stepLines(step).map(escapeMarkdown),
      ...(at
        ? [`<sub>${escapeMarkdown(`${step.events.at(-1)?.function.at(-1) ?? ''} ${at.file}:${at.line}`)}</sub>`]
        : []),
    ].join('<br>')
    return `| ${i + 1} | ${lanes.map((_, j) => (j === lane ? cell : '')).join(' | ')} |`
  })
  return [
    `| | ${lanes.map(({ title }) => escapeMarkdown(title)).join(' | ')} |`,
    `|---:|${lanes.map(() => '---|').join('')}`,
    ...(first > 0 ? [`| 1–${first} | left out |${' |'.repeat(lanes.length - 1)}`] : []),
    ...rows,
  ].join('\n')
}

function sequence({ steps, waiting }: Violation, { lanes, laneOf, arrows }: Timeline): string {
  const first = Math.max(0, steps.length - MAX_MESSAGES)
  const lines = ['sequenceDiagram', ...lanes.map(({ title }, i) => `  participant L${i} as ${label(title)}`)]
  const objects = [
    ...new Set([
      ...steps
        .slice(first)
        .flatMap(({ events }) =>
          events.flatMap(({ target, operation }) => (isMessage(operation) && target !== '' ? [target] : [])),
        ),
      ...waiting.map(({ target }) => target).filter((target) => target !== ''),
    ]),
  ]
  lines.push(...objects.map((object, i) => `  participant O${i} as ${label(object)}`))
  if (first > 0) lines.push(`  Note over L0: ${label(`the first ${plural(first, 'step')} are left out`)}`)
  steps.forEach((step, i) => {
    if (i < first) return
    const lane = `L${laneOf[step.actor]}`
    for (const { operation, target, detail } of step.events) {
      if (isMessage(operation) && target !== '')
        lines.push(
          `  ${lane}->>O${objects.indexOf(target)}: ${label(`${i + 1}. ${operation}${detail === '' ? '' : ` (${detail})`}`)}`,
        )
    }
    const changed = step.changes.slice(0, 3).map(({ field, from, to }) => `${field} ${text(from)} → ${text(to)}`)
    if (changed.length > 0)
      lines.push(
        `  Note over ${lane}: ${label(`${i + 1}. ${changed.join(', ')}${step.changes.length > 3 ? ', ...' : ''}`)}`,
      )
    for (const { kind, from, to, object } of arrows.filter((arrow) => arrow.step === i))
      if (laneOf[from] !== laneOf[to]) lines.push(`  L${laneOf[from]}-->>L${laneOf[to]}: ${label(`${kind} ${object}`)}`)
  })
  for (const { actor, operation, target } of waiting)
    if (target !== '')
      lines.push(`  L${laneOf[actor]}--xO${objects.indexOf(target)}: ${label(`${operation}: blocked`)}`)
  return lines.join('\n')
}

/** Operations that are shown as a message to their object. */
function isMessage(operation: string): boolean {
  return !/^(write|read|choose|when|atomically|readOnce|pause|allocate|free)$/.test(operation)
}

function waitGraph(report: Report, { waiting }: Violation): string {
  const node = (actor: number): string =>
    `A${actor}["${label(`CPU ${report.actors[actor]?.cpu}: ${report.actors[actor]?.name}`)}"]`
  const lines = ['flowchart LR']
  for (const { actor, operation, target, heldBy } of waiting)
    for (const holder of heldBy)
      lines.push(`  ${node(actor)} -->|"${label(`${operation} ${target}`)}"| ${node(holder)}`)
  return lines.join('\n')
}

function text(value: unknown): string {
  return Array.isArray(value) ? `{${value.join(', ')}}` : String(value)
}

/** A text of a Mermaid diagram: nothing of it is syntax. Its words may not be Mermaid's own either. */
function label(content: string): string {
  return content
    .replace(/\s+/g, ' ')
    .replace(/[^\p{L}\p{N} .,:()→=+_-]/gu, (char) => `#${char.codePointAt(0)};`)
    .replace(/\b(end|loop|alt|opt|par|rect|note|critical|break|box)\b/gi, (word) => `${word}#8203;`)
}

function table(rows: readonly (readonly [string, string])[]): string {
  const [head, ...body] = rows.map(([name, value]) => `| ${escapeMarkdown(name)} | ${escapeMarkdown(value)} |`)
  return [head, '|---|---|', ...body].join('\n')
}

function details(summary: string, body: string): string {
  return `<details>\n<summary>${escapeMarkdown(summary)}</summary>\n\n${body}\n\n</details>`
}

/** A fenced block, its fence longer than any inside. */
export function fence(language: string, body: string): string {
  const longest = Math.max(2, ...[...body.matchAll(/`+/g)].map(([marks]) => marks.length))
  const marks = '`'.repeat(longest + 1)
  return `${marks}${language}\n${body}\n${marks}`
}

function code(content: string): string {
  const line = content.replace(/\s+/g, ' ')
  const marks = '`'.repeat(Math.max(0, ...[...line.matchAll(/`+/g)].map(([found]) => found.length)) + 1)
  return marks.length > 1 ? `${marks} ${line} ${marks}` : `${marks}${line}${marks}`
}

/** A text in which nothing is Markdown or HTML. */
export function escapeMarkdown(content: string): string {
  return content
    .replace(/\s+/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_{}[\]#|~$@!]/g, '\\$&')
    .replace(/:\/\//g, ':&#8203;//')
    .replace(/^[-+](?= )/, '\\$&')
    .replace(/^(\d+)([.)])(?= )/, '$1\\$2')
}
