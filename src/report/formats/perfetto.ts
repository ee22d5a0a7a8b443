import type { Violation } from '../../trace/violation.ts'
import { type Report, mostTelling } from '../report.ts'
import { type Stretch, type Timeline, timelineOf } from '../timeline.ts'
import { toldEvents } from '../wording.ts'

/** Length of a step in microseconds. */
const STEP = 1000

/** Processes of the trace. */
const PROCESS = { cpus: 1, objects: 2, pages: 3 } as const

/** One event in the trace event format that Perfetto and chrome://tracing open. */
interface TraceEvent {
  readonly name: string
  readonly ph: 'X' | 'M' | 's' | 'f'
  readonly pid: number
  readonly tid: number
  readonly ts?: number
  readonly dur?: number
  readonly cat?: string
  readonly id?: number
  readonly bp?: 'e'
  readonly args?: Readonly<Record<string, unknown>>
}

/** The first violation's trace for Perfetto: CPUs, locks and pages as tracks, a millisecond a step. */
export function renderPerfetto(reports: readonly Report[]): string {
  const report = mostTelling(reports)
  const [violation] = report.violations
  const traceEvents = violation ? events(report, violation, timelineOf(report, violation)) : []
  const { file, scenario } = report.model
  return `${JSON.stringify({ displayTimeUnit: 'ms', otherData: { model: file, scenario: scenario ?? '', verdict: report.verdict, message: violation?.message ?? '' }, traceEvents }, null, 1)}\n`
}

function events(report: Report, violation: Violation, timeline: Timeline): TraceEvent[] {
  const { lanes, laneOf, holds, waits, arrows } = timeline
  const actorName = (actor: number): string => report.actors[actor]?.name ?? String(actor)
  const pages = new Set((report.machine ?? []).filter(({ type }) => isPage(type)).map(({ name }) => name))
  const objects = holds.filter(({ object }) => !pages.has(object))
  const frames = holds.filter(({ object }) => pages.has(object))
  return [
    ...process(
      PROCESS.cpus,
      'CPUs',
      lanes.map(({ title }) => title),
    ),
    ...violation.steps.map((step, i): TraceEvent => ({
      name: step.events.at(-1)?.function.at(-1) ?? actorName(step.actor),
      cat: 'step',
      ph: 'X',
      pid: PROCESS.cpus,
      tid: laneOf[step.actor] ?? 0,
      ts: i * STEP,
      dur: STEP,
      args: {
        step: i + 1,
        actor: actorName(step.actor),
        because: step.because,
        events: toldEvents(step).map(({ text }) => text),
        at: place(step.events.at(-1)?.at),
      },
    })),
    ...waits.map(({ actor, object, how, from, to }): TraceEvent => ({
      name: `waits: ${how} ${object}`.trim(),
      cat: 'wait',
      ph: 'X',
      pid: PROCESS.cpus,
      tid: lanes.length + actor,
      ts: (from + 1) * STEP,
      dur: Math.max(1, to - from) * STEP,
      args: { actor: actorName(actor) },
    })),
    ...[...new Set(waits.map(({ actor }) => actor))].map((actor) =>
      thread(PROCESS.cpus, lanes.length + actor, `${actorName(actor)} waits`),
    ),
    ...arrows.flatMap(({ kind, step, from, to, object }, id): TraceEvent[] => {
      const flow = { name: `${kind} ${object}`.trim(), cat: kind, id: id + 1, pid: PROCESS.cpus }
      const next = violation.steps.findIndex(({ actor }, i) => i > step && actor === to)
      return next < 0
        ? []
        : [
            { ...flow, ph: 's', tid: laneOf[from] ?? 0, ts: step * STEP + STEP / 2 },
            { ...flow, ph: 'f', bp: 'e', tid: laneOf[to] ?? 0, ts: next * STEP + STEP / 2 },
          ]
    }),
    ...tracks(PROCESS.objects, 'Locks', objects, actorName),
    ...tracks(PROCESS.pages, 'Pages', frames, actorName),
  ]
}

function place(at: Violation['steps'][number]['events'][number]['at'] | undefined): string {
  return at ? `${at.file}:${at.line}` : ''
}

function isPage(type: string): boolean {
  return /page|frame/.test(type)
}

/** A track for each object, of those who hold it; one more for each that holds it at the same time. */
function tracks(
  pid: number,
  title: string,
  holds: readonly Stretch[],
  actorName: (actor: number) => string,
): TraceEvent[] {
  if (holds.length === 0) return []
  const ends: { readonly object: string; end: number }[] = []
  const slices = holds.map(({ object, how, actor, from, to }): TraceEvent => {
    let tid = ends.findIndex((track) => track.object === object && track.end <= from)
    if (tid < 0) tid = ends.push({ object, end: 0 }) - 1
    ends[tid] = { object, end: to }
    return {
      name: `${actorName(actor)} (${how})`,
      cat: 'hold',
      ph: 'X',
      pid,
      tid,
      ts: from * STEP + STEP / 2,
      dur: Math.max(0.5, to - from) * STEP,
    }
  })
  return [
    ...process(
      pid,
      title,
      ends.map(({ object }) => object),
    ),
    ...slices,
  ]
}

function process(pid: number, name: string, threads: readonly string[]): TraceEvent[] {
  return [
    { name: 'process_name', ph: 'M', pid, tid: 0, args: { name } },
    ...threads.map((title, tid) => thread(pid, tid, title)),
  ]
}

function thread(pid: number, tid: number, name: string): TraceEvent {
  return { name: 'thread_name', ph: 'M', pid, tid, args: { name } }
}
