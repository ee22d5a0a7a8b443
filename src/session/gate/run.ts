import { Semaphore } from 'async-mutex'
import type { Bundle } from '../../bundle/bundle.ts'
import { type GateResult, gateCase } from '../../gate/gate-result.ts'
import { judge } from '../../gate/judge.ts'
import type { ResultCache, ResultKey } from '../../gate/result-cache.ts'
import type { Scenario } from '../../model/model.ts'
import type { Report } from '../../report/report.ts'
import { type Threads, startThreads } from '../../threads/threads.ts'
import { type IsolatedTask, exploreIsolated } from '../isolated.ts'
import type { ExploreRequest } from '../request.ts'

/** A scenario to be explored, and how. */
export interface PlannedCase {
  readonly bundle: Bundle
  readonly scenario: string
  readonly about: Scenario<never>
  /** `workers` of it is how many cores it takes. */
  readonly request: ExploreRequest
  /** Whether expected counts are about such a search. */
  readonly hasCounts: boolean
  /** Command lines that show the same again, and a violation of it. */
  readonly commands: (report: Report, violation: Report['violations'][number] | undefined) => readonly string[]
  readonly key: ResultKey
  /** Whether it is known that nothing has changed, so that it is left out where no result of it is kept. */
  readonly isUnchanged: boolean
}

/** What the gate is told while it works. */
export interface GateListener {
  started(index: number, states: () => number): void
  finished(index: number, result: GateResult): void
  /** All are done, or the run was ended. */
  end(): void
}

/** How a gate works. */
export interface GateOptions {
  readonly cores: number
  readonly cwd: string
  /** Seconds for everything; Infinity for no end. */
  readonly time: number
  /** Results of earlier runs; null: all is explored. */
  readonly cache: ResultCache | null
  readonly signal: AbortSignal
  readonly listener: GateListener
}

/** Explores all that is planned, several at once within the cores, and holds each against what is expected of it. */
export async function runGate(cases: readonly PlannedCase[], options: GateOptions): Promise<GateResult[]> {
  const threads = await startThreads<IsolatedTask>('scenario', Math.min(options.cores, Math.max(1, cases.length)), null)
  const run = new GateRun(threads, new TimeShare(cases, options), options)
  try {
    return await Promise.all(cases.map((planned, index) => run.one(planned, index)))
  } finally {
    await threads.destroy()
  }
}

/** One run of the gate: who may have which cores, and when. */
class GateRun {
  readonly #threads: Threads<IsolatedTask>
  readonly #cores: Semaphore
  readonly #clock: TimeShare
  readonly #options: GateOptions

  constructor(threads: Threads<IsolatedTask>, clock: TimeShare, options: GateOptions) {
    this.#threads = threads
    this.#cores = new Semaphore(options.cores)
    this.#clock = clock
    this.#options = options
  }

  /** What comes of one scenario: a result of an earlier run, or one as soon as there are cores for it. */
  async one(planned: PlannedCase, index: number): Promise<GateResult> {
    const { cache, listener } = this.#options
    const kept = (await cache?.get(planned.key)) ?? null
    const known = kept ? judged(planned, kept, true) : planned.isUnchanged ? unchanged(planned) : null
    if (known) this.#clock.done(planned)
    const result =
      known ?? (await this.#cores.runExclusive(() => this.#explore(planned, index), planned.request.workers))
    if (!known && result.report?.inconclusive === null) await cache?.put(planned.key, result.report)
    listener.finished(index, result)
    return result
  }

  async #explore(planned: PlannedCase, index: number): Promise<GateResult> {
    const { signal, listener, cwd } = this.#options
    if (signal.aborted) return notRun(planned)
    const { limits } = planned.request
    const request = {
      ...planned.request,
      limits: { ...limits, time: Math.min(limits.time, this.#clock.take(planned)) },
    }
    const answer = await exploreIsolated(this.#threads, planned.bundle, request, {
      cwd,
      signal,
      started: (progress) => listener.started(index, () => progress().states),
    })
    return 'report' in answer ? judged(planned, answer.report, false) : broken(planned, answer.problem)
  }
}

/** Splits a time budget: a scenario that begins gets its part of what is left, by the cores that it takes. */
class TimeShare {
  readonly #end: number
  readonly #cores: number
  #left: number

  constructor(cases: readonly PlannedCase[], { time, cores }: GateOptions) {
    this.#end = performance.now() / 1000 + time
    this.#cores = cores
    this.#left = cases.reduce((sum, { request }) => sum + request.workers, 0)
  }

  /** Seconds for a scenario that begins now. */
  take(planned: PlannedCase): number {
    if (this.#end === Infinity) return Infinity
    const { workers } = planned.request
    const rest = Math.max(0, this.#end - performance.now() / 1000)
    const share = Math.min(rest, (rest * this.#cores) / Math.max(1, this.#left))
    this.#left -= workers
    return Math.max(0.001, share)
  }

  /** A scenario needs no time. */
  done({ request }: PlannedCase): void {
    this.#left -= request.workers
  }
}

function judged(planned: PlannedCase, report: Report, isKept: boolean): GateResult {
  const { culprit, ...comparison } = judge(report, planned.about, planned.hasCounts)
  return {
    ...caseOf(planned),
    report: { ...report, commands: planned.commands(report, culprit) },
    seconds: isKept ? 0 : report.stats.seconds,
    isKept,
    ...comparison,
  }
}

function notRun(planned: PlannedCase): GateResult {
  return {
    ...caseOf(planned),
    report: null,
    seconds: 0,
    isKept: false,
    status: 'inconclusive',
    differences: ['not explored: the gate was interrupted before'],
  }
}

function unchanged(planned: PlannedCase): GateResult {
  return { ...caseOf(planned), report: null, seconds: 0, isKept: false, status: 'unchanged', differences: [] }
}

function broken(planned: PlannedCase, problem: string): GateResult {
  return { ...caseOf(planned), report: null, seconds: 0, isKept: false, status: 'broken', differences: [problem] }
}

function caseOf({
  bundle,
  scenario,
  about,
}: PlannedCase): Pick<GateResult, 'file' | 'scenario' | 'formerly' | 'about'> {
  return { ...gateCase(bundle.file, scenario, about), about }
}
