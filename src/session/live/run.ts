import { bundle } from '../../bundle/bundle.ts'
import { load } from '../../runtime/load.ts'
import { pathEngine } from '../../explore/paths/path-engine.ts'
import { CannotStep, Tracer } from '../../explore/witness/tracer.ts'
import type { Jitter } from '../../live/free-driver.ts'
import { waitingOf } from '../../live/follow.ts'
import { FreeRun, type FreeRunResult } from '../../live/free-run.ts'
import { LiveMachine } from '../../live/live-machine.ts'
import type { LiveStatistics, Report } from '../../report/report.ts'
import type { Violation } from '../../trace/violation.ts'
import { assemble, violationOf } from '../assemble.ts'
import { type ExploreRequest, type Preparation, chooseChecks, prepare } from '../request.ts'
import type { Environment } from '../environment.ts'
import { UsageError } from '../../source/usage-error.ts'

/** What one free run is asked to do, defaults filled in. */
export interface RunRequest extends Pick<ExploreRequest, 'scenario' | 'settings' | 'check' | 'noCheck'> {
  /** Infinity: as many as the time allows. */
  readonly rounds: number
  /** Seconds. */
  readonly time: number
  readonly jitter: boolean
  readonly seed: number
}

/** How a run with jitter is disturbed: a quarter of all points is delayed, for up to 0.2 ms. */
const JITTER: Jitter = { longest: 0.2, oneIn: 4 }
/** Milliseconds between two looks at the standing machine. */
const SAMPLING_MS = 50
/** Milliseconds without any step, or without any change, after which a run is given up. */
const MAX_STALL_MS = 10_000

/**
 * Runs a model freely on live CPUs, and reports on it. What is found is told by the explorer's own trace of the steps
 * that the CPUs took, in the order in which they took effect.
 * @throws UsageError for unknown scenarios, parameters or checks, and when a thread dies; Refusal for a model that cannot be built
 */
export async function runLive(path: string, request: RunRequest, environment: Environment): Promise<Report> {
  const loaded = load(await bundle(path, environment.cwd, environment.cache))
  const prepared = prepare(loaded, { ...request, granularity: 'step' })
  const checks = chooseChecks(request, prepared.scenario)
  const native = load(await bundle(path, environment.cwd, environment.cache, 'native'))
  const live = await LiveMachine.start(native, prepared.params, {
    checks: checks.map(({ name }) => name),
    granularity: 'step',
    driving: (actor) => ({ by: 'itself', seed: request.seed * 64 + actor, jitter: request.jitter ? JITTER : null }),
  })
  try {
    const started = performance.now()
    const run = new FreeRun(live, {
      rounds: request.rounds,
      time: request.time * 1000,
      sampling: SAMPLING_MS,
      patience: MAX_STALL_MS,
      checks,
      signal: environment.signal,
      progress: (rounds, points) =>
        environment.onProgress({ rounds, points, seconds: (performance.now() - started) / 1000 }),
    })
    const result = await environment.interruptible(() => run.run())
    const traffic = await live.end()
    if (result.end === 'died') throw new UsageError(`${result.reason}; nothing is known about the model`)
    const violations = result.finding ? [told(prepared, checks, result)] : []
    return assemble({
      loaded,
      system: prepared.system,
      name: prepared.name,
      params: prepared.params,
      checks,
      granularity: 'step',
      request: { strategy: 'live', workers: live.machine.actors.length, preemptions: Infinity },
      result: {
        exhaustive: false,
        stopped: { reason: REASONS[result.end], frontier: 0 },
        states: 0,
        transitions: 0,
        executions: result.rounds,
        depth: violations[0]?.schedule.length ?? 0,
        endStates: 0,
        pruned: 0,
        beyond: 0,
        looped: false,
        seconds: result.seconds,
        bytes: 0,
        bytesPerState: 0,
        coverage: new Uint8Array(0),
      },
      violations,
      reduction: [],
      assumed: [],
      notes: result.end === 'stalled' ? [result.reason] : [],
      live: statistics(result, traffic),
    })
  } finally {
    await live.close()
  }
}

/** Why a run that found nothing ended, as reports put it. */
const REASONS = {
  found: 'interrupt',
  runs: 'runs',
  time: 'time',
  interrupt: 'interrupt',
  stalled: 'time',
  died: 'interrupt',
} as const

/** What was found, as the explorer tells the steps that led there. */
function told(
  { system, params }: Preparation,
  checks: Parameters<typeof pathEngine>[3],
  { finding, schedule, waits, reason }: FreeRunResult,
): Violation {
  if (!finding) throw new Error(reason)
  const untold: Violation = {
    ...finding,
    minimal: false,
    stuck: finding.stuck ?? [],
    schedule: [],
    schedule_string: '',
    steps: [],
    waiting: [],
  }
  const waiting = [...waits].filter(([, { isBlocked }]) => isBlocked).map(([actor, wait]) => waitingOf(actor, wait))
  if (!schedule)
    return { ...untold, message: `${finding.message} (the round was too long for its steps to be kept)`, waiting }
  try {
    const violation = violationOf(
      new Tracer(pathEngine(system, params, 'step', checks)),
      system,
      finding,
      schedule,
      false,
    )
    return waiting.length > 0 && finding.stuck
      ? {
          ...violation,
          waiting: waiting.filter(({ actor }) => violation.waiting.some((known) => known.actor === actor)),
        }
      : violation
  } catch (error) {
    if (!(error instanceof CannotStep)) throw error
    // steps of racing code have no one order
    return {
      ...untold,
      message: `${finding.message} (the explorer cannot follow the steps that the CPUs took: ${error.message}; is there a data race?)`,
      waiting,
    }
  }
}

function statistics(
  { rounds, seconds, samples, counts }: FreeRunResult,
  traffic: ReadonlyMap<string, { readonly performed: number; readonly blocked: number }>,
): LiveStatistics {
  const contention = [...traffic]
    .filter(([target, { blocked }]) => target !== '' && blocked > 0)
    .map(([target, { performed, blocked }]) => ({ target, performed, blocked }))
  return {
    rounds,
    seconds: Math.round(seconds * 1000) / 1000,
    points: counts.reduce((sum, { steps }) => sum + steps, 0),
    samples,
    actors: counts.map(({ steps, blocks }, actor) => ({ actor, points: steps, blocked: blocks })),
    contention: contention.toSorted((a, b) => b.blocked - a.blocked || (a.target < b.target ? -1 : 1)),
  }
}
