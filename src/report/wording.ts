import { showValue } from '../model/memory.ts'
import type { TraceStep, Waiting } from '../trace/trace.ts'
import type { Preemption, Violation } from '../trace/violation.ts'
import { count, plural } from './numbers.ts'
import type { Report } from './report.ts'

type Event = TraceStep['events'][number]

/** One line for an event; empty for one that has nothing to say: a write of what was there, a bare atomic section. */
export function eventLine({ operation, target, detail }: Event): string {
  if (operation === 'write') return detail.endsWith(' again') ? '' : `${target} ${detail}`
  if (operation === 'read') return `read ${target} ${detail}`.trimEnd()
  if (operation === 'choose') return `${target}: ${detail}`
  if (target === '' && detail === '') return operation === 'pause' ? operation : ''
  return `${operation} ${target}${detail === '' ? '' : ` (${detail})`}`
}

/** What a step did, its events in lines; never empty. */
export function stepLines(step: TraceStep): string[] {
  const lines = step.events.map(eventLine).filter((line) => line !== '')
  return lines.length > 0 ? lines : [`${step.events.at(-1)?.operation || 'no shared access'}, nothing changes`]
}

/** `CPU 0 (wirer/0)` */
export function actorTitle({ actors }: Pick<Report, 'actors'>, actor: number): string {
  return `CPU ${actors[actor]?.cpu} (${actors[actor]?.name})`
}

/** Who waits for what: `CPU 0 (wirer/0) waits: read map.lock, held by CPU 1 (neighbour/1)`. */
export function waitLine(report: Pick<Report, 'actors'>, { actor, operation, target, heldBy }: Waiting): string {
  const held = heldBy.length === 0 ? '' : heldBy.includes(actor) ? ', held by itself' : `, held by ${heldBy.map((holder) => actorTitle(report, holder)).join(' and ')}`
  return `${actorTitle(report, actor)} ${operation === 'spin' ? 'goes round in a loop' : `waits: ${operation} ${target}`.trimEnd()}${held}`
}

/** `step 13: CPU 0 (wirer/0) is preempted in wiringWalk(); essential: ...` */
export function preemptionLine(report: Pick<Report, 'actors'>, { step, actor, within, verdict, scope, states }: Preemption): string {
  const where = scope === 'function' ? `within ${within}()` : 'at this place'
  const what = {
    essential: `essential: with none ${where}, it cannot happen (${plural(states, 'state')} searched)`,
    incidental: `incidental: it happens with none ${where}, too`,
    undecided: 'undecided',
  }[verdict]
  return `step ${step}: ${actorTitle(report, actor)} is preempted${within === null ? ' before it starts' : ` in ${within}()`}; ${what}`
}

/** `CPU 0 (a/0) writes page[0].busy in pageOut()` */
export function accessLine(report: Pick<Report, 'actors'>, { actor, access, field, function: functions }: NonNullable<Violation['accesses']>[number]): string {
  return `${actorTitle(report, actor)} ${access}s ${field} in ${functions.at(-1) ?? '?'}()`
}

/** Which machine of which model: `models/wire.ts, scenario deadlock (cpus=2)`. */
export function subject({ file, scenario, params }: Pick<Report['model'], 'file' | 'scenario' | 'params'>): string {
  const settings = Object.entries(params).map(([key, value]) => `${key}=${showValue(value)}`)
  return `${file}${scenario === null ? '' : `, scenario ${scenario}`}${settings.length > 0 ? ` (${settings.join(', ')})` : ''}`
}

/** What came out, without its word: `every interleaving was explored and nothing was found`. */
export function outcome(report: Report): string {
  const { verdict, inconclusive, stats, live } = report
  if (verdict === 'pass') return report.exhaustive ? 'every interleaving was explored and nothing was found' : 'nothing was found in what was explored'
  if (verdict === 'violation') return report.violations.map(violationLine).join('; ')
  const reason = REASONS[inconclusive?.reason ?? ''] ?? inconclusive?.reason
  if (live) return `nothing was found in ${plural(live.rounds, 'round')}, ended by ${reason}: a live run proves nothing`
  if (inconclusive?.reason === 'check off') return `${plural(inconclusive.frontier, 'step')} cannot go on because of what a check that is off would report, and nothing beyond them was explored; nothing was found elsewhere`
  return `ended by ${reason} at depth ${stats.depth}${stats.strategy === 'bfs' ? ` with ${plural(inconclusive?.frontier ?? 0, 'state')} still to explore` : ''}; nothing was found so far`
}

const REASONS: Readonly<Record<string, string>> = {
  memory: 'the memory budget',
  states: '--max-states',
  depth: '--max-depth',
  time: '--time',
  interrupt: 'an interrupt',
  runs: 'the number of executions asked for (--runs, --rounds)',
  preemptions: '--preemptions, which kept executions from being followed',
  'check off': 'steps that end in what a check that is off would report'
}

/** What is to be known of a violation's search that was ended before its end; empty when it was not. */
export function cutShort({ verdict, inconclusive }: Report): string {
  return verdict === 'violation' && inconclusive ? `the search was ended by ${REASONS[inconclusive.reason] ?? inconclusive.reason}: there may be more violations` : ''
}

/** A violation's message and where it is: `a cycle of waits: ..., after 43 steps`. */
export function violationLine({ message, schedule }: Violation): string {
  return `${message}${schedule.length > 0 ? `, after ${plural(schedule.length, 'step')}` : ''}`
}

const REDUCTIONS: Readonly<Record<string, string>> = { symmetry: 'symmetry', por: 'partial order' }

/** `symmetry and partial order`, or nothing. */
export function reductionNames(reduction: readonly string[]): string {
  return reduction.map((name) => REDUCTIONS[name] ?? name).join(' and ')
}

/** The search's statistics as names and values. */
export function statisticRows({ stats, live }: Report): [name: string, value: string][] {
  if (live) return [['rounds', count(live.rounds)], ['points', count(live.points)], ['seconds', live.seconds.toFixed(2)]]
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
