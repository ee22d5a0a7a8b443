import { basename } from 'node:path'
import { checks as allChecks } from '../../checks/index.ts'
import type { LoadedModel } from '../runtime/load.ts'
import type { PathResult } from '../explore/paths/path-result.ts'
import { type ScheduledStep, formatSchedule } from '../trace/schedule.ts'
import type { SearchResult } from '../explore/search/search-result.ts'
import type { Granularity } from '../semantics/step-bounds.ts'
import type { System } from '../explore/state/system.ts'
import type { Tracer } from '../explore/witness/tracer.ts'
import type { Check, Finding } from '../model/check.ts'
import type { StopReason } from '../model/verdict.ts'
import { describeAssumed } from '../report/assumptions.ts'
import {
  type Assumed,
  type LiveStatistics,
  type Report,
  SEMANTICS,
  type SearchProfile,
  type Unreached,
} from '../report/report.ts'
import type { Violation } from '../trace/violation.ts'
import { machineObjects } from '../trace/narration.ts'
import { excerpts } from './excerpts.ts'
import type { ExploreRequest } from './request.ts'
import { version } from '../installation.ts'

/**
 * A finding and the schedule that leads there, told in kernel terms.
 *
 * @param tracer a fresh one
 * @param minimal whether no shorter schedule does
 */
export function violationOf(
  tracer: Tracer,
  system: System,
  finding: Finding,
  schedule: readonly ScheduledStep[],
  minimal: boolean,
): Violation {
  const { kind, property, message } = finding
  const steps = tracer.trace(schedule)
  const stuck = finding.stuck ?? []
  const isHang = finding.stuck !== undefined
  const racing = finding.race ? tracer.racing(finding.race) : []
  return {
    kind,
    property,
    message,
    minimal,
    stuck,
    schedule,
    schedule_string: formatSchedule(schedule),
    steps,
    waiting: isHang
      ? tracer.waiting(system.actors.filter((actor) => stuck.includes(actor.id) || tracer.isBlocked(actor)))
      : [],
    ...(racing.length > 0 && { accesses: racing }),
  }
}

/** The report of a search. */
export function assemble(parts: {
  readonly loaded: LoadedModel
  readonly system: System
  readonly name: string | null
  readonly params: Readonly<Record<string, unknown>>
  readonly checks: readonly Check[]
  readonly granularity: Granularity
  readonly request: Pick<ExploreRequest, 'preemptions' | 'workers'> & { readonly strategy: string }
  readonly result: Pick<SearchResult, Exclude<keyof SearchResult & keyof PathResult, 'findings' | 'stopped'>> &
    Pick<PathResult, 'executions'> & {
      readonly stopped: { readonly reason: StopReason; readonly frontier: number } | null
    }
  readonly violations: readonly Violation[]
  readonly reduction: readonly string[]
  readonly assumed: readonly Assumed[]
  readonly notes: readonly string[]
  readonly live?: LiveStatistics
}): Report {
  const { loaded, system, result, violations, request } = parts
  const { file, digest } = loaded.bundle
  const assumed: readonly Assumed[] = [
    ...allChecks
      .filter((check) => !parts.checks.includes(check))
      .map(({ name }) => ({ code: 'check-off', check: name }) as const),
    ...(result.pruned > 0 ? [{ code: 'pruned', steps: result.pruned } as const] : []),
    ...(result.beyond > 0 ? [{ code: 'within', properties: boundsOf(system), states: result.beyond } as const] : []),
    ...(request.preemptions < Infinity ? [{ code: 'preemptions', bound: request.preemptions } as const] : []),
    ...spinning(system, parts.checks, result.looped),
    ...parts.assumed,
  ]
  const verdict = violations.length > 0 ? 'violation' : result.stopped ? 'inconclusive' : 'pass'
  return {
    schema: 'vmcheck.report/1',
    model: {
      name: basename(file).replace(/\.m?[tj]s$/, ''),
      file,
      title: loaded.model.title,
      scenario: parts.name,
      params: parts.params,
      digest,
    },
    verdict,
    exhaustive: result.exhaustive,
    assumptions: assumed.map(describeAssumed),
    assumed,
    notes: parts.notes,
    violations,
    ...(violations.length > 0 && {
      machine: machineObjects(system.machine.memory),
      sources: excerpts(loaded.sourceMap, violations),
    }),
    actors: system.actors.map(({ id, name, cpu, kind }) => ({ id, name, cpu: cpu.index, kind })),
    // a search that keeps going may have been cut short after its first violation: others may be missing
    inconclusive: verdict === 'violation' && parts.live ? null : result.stopped,
    unreached: verdict === 'pass' ? unreachedCode(system, result.coverage) : [],
    stats: {
      strategy: request.strategy,
      reduction: parts.reduction,
      granularity: parts.granularity,
      semantics: SEMANTICS,
      workers: request.strategy === 'bfs' || parts.live ? request.workers : 1,
      states: result.states,
      transitions: result.transitions,
      executions: result.executions,
      depth: result.depth,
      endStates: result.endStates,
      seconds: Math.round(result.seconds * 1000) / 1000,
      bytesPerState: Math.round(result.bytesPerState * 10) / 10,
      memoryBytes: result.bytes,
    },
    ...(parts.live && { live: parts.live }),
    tool: { name: 'vmcheck', version: version() },
  }
}

/** What the hang check takes on trust: an endless actor that goes round in several steps may wait for something. */
function spinning({ actors }: System, checks: readonly Check[], looped: boolean): Assumed[] {
  const endless = actors.filter((actor) => actor.endless)
  if (endless.length === 0 || !looped || !checks.some(({ hang }) => hang)) return []
  return [{ code: 'endless-spin', actors: endless.map(({ name }) => name) }]
}

/** What the model says is to be explored, by name. */
function boundsOf({ machine }: System): string[] {
  return machine.properties.filter(({ form }) => form === 'within').map(({ name }) => name)
}

/** What partial-order reduction came to, where properties keep it from doing much. */
export function partialOrderNotes(system: System, checks: readonly Check[], result: SearchResult): string[] {
  const bounds = boundsOf(system).map((name) => `“${name}”`)
  if (bounds.length > 0)
    return [
      `partial-order reduction was left out: the steps that it leaves out might be the only ones within ${bounds.join(', ')}`,
    ]
  const evaluated = system.machine.properties.filter(
    ({ form }) => form === 'always' && checks.some(({ evaluates }) => evaluates?.includes(form)),
  )
  if (evaluated.length === 0) return []
  const share = Math.round((100 * result.alone) / Math.max(1, result.states))
  return [
    `partial-order reduction helped in ${share} % of the states: it leaves every step alone that writes what ${evaluated.map(({ name }) => `“${name}”`).join(', ')} reads, for that is evaluated in every state`,
  ]
}

/** Where the time of a search went. */
export function profileOf({ effort, cpu, transitions, states, seconds }: SearchResult): SearchProfile {
  const { times, asked, built, executed } = effort
  return { seconds, cpu, milliseconds: times, states, transitions, asked, built, executed }
}

/** Points and branches of the user's files that no step and no set-up code reached. */
function unreachedCode(system: System, coverage: Uint8Array): Unreached[] {
  const found: Unreached[] = []
  system.runtime.sites.forEach(({ file, line, column, kind, counted }, site) => {
    if (counted && kind !== 'place' && coverage[site] === 0 && line > 0)
      found.push({ what: kind, at: { file, line, column } })
  })
  return found.toSorted((a, b) =>
    a.at.file < b.at.file ? -1 : a.at.file > b.at.file ? 1 : a.at.line - b.at.line || a.at.column - b.at.column,
  )
}

/** The exit status that a verdict stands for. */
export function exitStatus(verdict: Report['verdict']): 0 | 1 | 3 {
  return verdict === 'pass' ? 0 : verdict === 'violation' ? 1 : 3
}
