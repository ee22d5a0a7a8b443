import { showValue } from '../model/memory.ts'
import type { StopReason } from '../model/verdict.ts'
import { oneLine } from '../source/texts.ts'
import { SEES } from '../trace/narration.ts'
import type { TraceStep, Waiting } from '../trace/trace.ts'
import type { Preemption, Violation } from '../trace/violation.ts'
import { count, plural } from './numbers.ts'
import type { Report } from './report.ts'

type Event = TraceStep['events'][number]

/** Events that are faults: what the step ended in. */
const FAULTS: ReadonlySet<string> = new Set([
  'assertion',
  'exception',
  'use-after-free',
  'range',
  'invariant',
  'sleep-in-atomic',
  'imbalance',
])

/** One line for an event; empty for one that has nothing to say: a write of what was there, a bare atomic section. */
export function eventLine({ operation, target, detail, unchanged }: Event): string {
  // a write to a field says what it wrote; without that it is a lock's operation of the same name
  if (operation === 'write' && detail !== '') return unchanged ? '' : `${target} ${detail}`
  if (operation === 'read' || operation === SEES) return `${operation} ${target} ${detail}`.trimEnd()
  if (operation === 'choose') return `${target}: ${detail}`
  if (FAULTS.has(operation))
    return detail.includes(`"${target}"`) || detail.startsWith(target)
      ? `${operation}: ${detail}`
      : `${operation}: ${target}: ${detail}`
  if (target === '' && detail === '') return operation === 'pause' ? operation : ''
  return `${operation} ${target}${detail === '' ? '' : ` (${detail})`}`
}

/** What happens in a step, line by line, each with its first event; what is seen at one place of the code makes one line. */
export function toldEvents({
  events,
  changes,
  inside = [],
}: Pick<TraceStep, 'events' | 'changes' | 'inside'>): { readonly text: string; readonly event: Event }[] {
  const told: { text: string; event: Event; seen: number }[] = []
  for (const event of events) {
    const last = told.at(-1)
    const text = oneLine(eventLine(event))
    if (last && last.seen > 0 && event.operation === SEES && isSamePlace(last.event, event)) {
      last.seen++
      if (last.seen <= MAX_SEEN) last.text += `, ${event.target} ${event.detail}`
      else last.text = `${last.text.replace(/ and \d+ more$/, '')} and ${last.seen - MAX_SEEN} more`
    } else if (text !== '') told.push({ text, event, seen: event.operation === SEES ? 1 : 0 })
  }
  const bare = events.at(-1)
  // what an effect does to a lock's or channel's own words is told where nothing else is
  if (bare && changes.length === 0 && told.every(({ seen }) => seen > 0) && inside.length > 0)
    told.push({
      text: inside.map(({ field, from, to }) => `${field} ${showValue(from)} → ${showValue(to)}`).join(', '),
      event: bare,
      seen: 0,
    })
  return told
}

/** Fields that one line says to be seen. */
const MAX_SEEN = 4

function isSamePlace(a: Event, b: Event): boolean {
  return a.at?.file === b.at?.file && a.at?.line === b.at?.line && a.function.join() === b.function.join()
}

/** What a step did, in lines; never empty. */
export function stepLines(step: TraceStep): string[] {
  const lines = toldEvents(step).map(({ text }) => text)
  return lines.length > 0 ? lines : [nothingTold(step)]
}

/** For a step of which nothing else can be told: `atomically: changes nothing`. */
export function nothingTold({ events }: Pick<TraceStep, 'events'>): string {
  const operation = events.at(-1)?.operation ?? ''
  return operation === '' ? 'works on its own variables only' : `${operation}: changes nothing`
}

/** `CPU 0 (wirer/0)` */
export function actorTitle({ actors }: Pick<Report, 'actors'>, actor: number): string {
  return `CPU ${actors[actor]?.cpu} (${actors[actor]?.name})`
}

/** Who waits for what: `CPU 0 (wirer/0) waits: read map.lock, held by CPU 1 (neighbour/1)`. */
export function waitLine(report: Pick<Report, 'actors'>, { actor, operation, target, heldBy }: Waiting): string {
  const held =
    heldBy.length === 0
      ? ''
      : heldBy.includes(actor)
        ? ', held by itself'
        : `, held by ${heldBy.map((holder) => actorTitle(report, holder)).join(' and ')}`
  return `${actorTitle(report, actor)} ${operation === 'spin' ? 'repeats a loop' : `waits: ${operation} ${target}`.trimEnd()}${held}`
}

/** `step 13: CPU 0 (wirer/0) is preempted in wiringWalk(); essential: ...` */
export function preemptionLine(
  report: Pick<Report, 'actors'>,
  { step, actor, within, verdict, scope, states }: Preemption,
): string {
  const where = scope === 'function' ? `within ${within}()` : 'at this place'
  const what = {
    essential: `essential: with none ${where}, it cannot happen (${plural(states, 'state')} searched)`,
    incidental: `incidental: it happens with none ${where}, too`,
    undecided: 'undecided',
  }[verdict]
  return `step ${step}: ${actorTitle(report, actor)} is preempted${within === null ? ' before it starts' : ` in ${within}()`}; ${what}`
}

/** `CPU 0 (a/0) writes page[0].busy in pageOut()` */
export function accessLine(
  report: Pick<Report, 'actors'>,
  { actor, access, field, function: functions }: NonNullable<Violation['accesses']>[number],
): string {
  return `${actorTitle(report, actor)} ${access}s ${field} in ${functions.at(-1) ?? '?'}()`
}

/** Which machine of which model: `models/wire.ts, scenario deadlock (cpus=2)`. */
export function subject({ file, scenario, params }: Pick<Report['model'], 'file' | 'scenario' | 'params'>): string {
  const settings = Object.entries(params).map(([key, value]) => `${key}=${showValue(value)}`)
  return oneLine(
    `${file}${scenario === null ? '' : `, scenario ${scenario}`}${settings.length > 0 ? ` (${settings.join(', ')})` : ''}`,
  )
}

/** What came out, without its word: `every interleaving was explored and nothing was found`. */
export function outcome(report: Report): string {
  const { verdict, inconclusive, stats, live } = report
  if (verdict === 'pass')
    return report.exhaustive
      ? 'every interleaving was explored and nothing was found'
      : 'nothing was found in what was explored'
  if (verdict === 'violation') return report.violations.map(violationLine).join('; ')
  const reason = inconclusive && REASONS[inconclusive.reason]
  if (live) return `nothing was found in ${plural(live.rounds, 'round')}, ended by ${reason}: a live run proves nothing`
  if (inconclusive?.reason === 'check off')
    return `${plural(inconclusive.frontier, 'step')} cannot be completed, which a check that is off would report, and nothing beyond them was explored; nothing was found elsewhere`
  return `ended by ${reason} at depth ${stats.depth}${stats.strategy === 'bfs' ? ` with ${plural(inconclusive?.frontier ?? 0, 'state')} still to explore` : ''}; nothing was found so far`
}

const REASONS: Readonly<Record<StopReason, string>> = {
  memory: 'the memory budget',
  states: '--max-states',
  depth: '--max-depth',
  time: '--time',
  interrupt: 'an interrupt',
  runs: 'the number of executions asked for (--runs, --rounds)',
  preemptions: '--preemptions, which kept executions from being followed',
  'check off': 'steps that end in what a check that is off would report',
}

/** What is to be known of a violation's search that was ended before its end; empty when it was not. */
export function cutShort({ verdict, inconclusive }: Report): string {
  return verdict === 'violation' && inconclusive
    ? `the search was ended by ${REASONS[inconclusive.reason]}: there may be more violations`
    : ''
}

/** A violation's message and where it is: `a cycle of waits: ..., after 43 steps`; `does not hold: x is 0, in step 3`. */
export function violationLine({ kind, property, message, schedule, steps }: Violation): string {
  const isInStep =
    steps.at(-1)?.events.some(({ operation, target }) => operation === kind && target === property) ?? false
  const where =
    schedule.length === 0
      ? ''
      : isInStep
        ? `, in step ${count(schedule.length)}`
        : `, after ${plural(schedule.length, 'step')}`
  return `${violationText({ kind, message })}${where}`
}

/** What a violation is, in a sentence that cannot be taken for what should be. */
export function violationText({ kind, message }: Pick<Violation, 'kind' | 'message'>): string {
  const said = oneLine(message)
  return kind === 'assertion' && !/ does not hold(:|$)/.test(said) ? `does not hold: ${said}` : said
}

/** Those who wait, in the order of who waits for whom: after each comes who keeps it waiting. */
export function inOrder(waiting: readonly Waiting[]): Waiting[] {
  const left = new Map(waiting.map((wait) => [wait.actor, wait]))
  const ordered: Waiting[] = []
  for (const first of waiting) {
    for (
      let wait: Waiting | undefined = left.get(first.actor);
      wait;
      wait = wait.heldBy.map((holder) => left.get(holder)).find((holder) => holder !== undefined)
    ) {
      left.delete(wait.actor)
      ordered.push(wait)
    }
  }
  return ordered
}

const REDUCTIONS: Readonly<Record<string, string>> = { symmetry: 'symmetry', por: 'partial order' }

/** `symmetry and partial order`, or nothing. */
export function reductionNames(reduction: readonly string[]): string {
  return reduction.map((name) => REDUCTIONS[name] ?? name).join(' and ')
}

/** The search's statistics as names and values. */
export function statisticRows({ stats, live }: Report): [name: string, value: string][] {
  if (live)
    return [
      ['rounds', count(live.rounds)],
      ['points', count(live.points)],
      ['seconds', live.seconds.toFixed(2)],
    ]
  return [
    ['states', count(stats.states)],
    ['transitions', count(stats.transitions)],
    ['depth', count(stats.depth)],
    ['end states', count(stats.endStates)],
    ...(stats.executions > 0 ? [['executions', count(stats.executions)] as [string, string]] : []),
    ['strategy', stats.strategy],
    ['reduced by', reductionNames(stats.reduction) || 'nothing'],
    ['granularity', stats.granularity],
    ['seconds', stats.seconds.toFixed(2)],
    ['workers', String(stats.workers)],
  ]
}
