/** The public entry `vmcheck/explore`: what tests and tools explore with. */
import { resolve } from 'node:path'
import { bundle } from '../bundle/bundle.ts'
import type { Progress } from '../explore/search/search-result.ts'
import { discardCheckpoint } from '../explore/search/checkpoint/checkpoints.ts'
import type { GateResult } from '../gate/gate-result.ts'
import type { Report } from '../report/report.ts'
import { UsageError } from '../source/usage-error.ts'
import { usualCache } from '../installation.ts'
import { startThreads } from '../threads/threads.ts'
import { checkExploreOptions } from './checked-options.ts'
import { commandsOf } from './command-lines.ts'
import { quietEnvironment } from './environment.ts'
import { checkGateOptions } from './gate/checked-options.ts'
import { type GateOptions, type GateOutcome, gateModels } from './gate/gate.ts'
import { type IsolatedTask, exploreIsolated } from './isolated.ts'
import { type ExploreOptions, requestOf } from './options.ts'

export { type Drift, type GateResult, type GateSummary } from '../gate/gate-result.ts'
export { type Report } from '../report/report.ts'
export { Refusal } from '../source/refusal.ts'
export { UsageError } from '../source/usage-error.ts'
export { type GateOptions, type GateOutcome, type Recording } from './gate/gate.ts'
export { type ExploreOptions } from './options.ts'
export { type Progress }

/** Milliseconds between two looks at how far a search is. */
const PROGRESS_EVERY_MS = 100

/** The folders of a search, and the signal that ends it. */
export interface Surroundings {
  /** Folder that relative paths start from. Usual: the process's. */
  readonly cwd?: string | undefined
  /** Folder where lowered files are cached; null: nowhere. Usual: that of the commands, `VMCHECK_CACHE` or the user's. */
  readonly cache?: string | null | undefined
  /** Ends the search early: its report is inconclusive then, and holds what was found. */
  readonly signal?: AbortSignal | undefined
}

/** Of {@link explore}. */
export interface ExploreSurroundings extends Surroundings {
  /** Told now and then how far the search is. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Of {@link gate}. */
export interface GateSurroundings extends Surroundings {
  /** Told of each scenario when it is done, in the order in which they are done. */
  readonly onResult?: ((result: GateResult) => void) | undefined
}

/**
 * Explores one scenario of a model and reports on it. The model runs on threads of its own: it can neither hang, end,
 * print into nor change the process.
 *
 * @param path of the model's file
 * @returns the same report that `vmcheck explore --json` prints
 * @throws UsageError, in one line, for an option, a parameter, a scenario or a model that cannot be explored; Refusal for
 * a file that cannot be lowered, with its place
 * @example
 * const { verdict } = await explore('models/lock-order.ts', { scenario: 'fixed' })
 */
export async function explore(path: string, options: ExploreOptions & ExploreSurroundings = {}): Promise<Report> {
  checkExploreOptions(path, options)
  const { cwd, cache, signal } = surroundingsOf(options)
  const request = requestOf(options)
  const text = await bundle(path, cwd, cache)
  const threads = await startThreads<IsolatedTask>('scenario', 1, null)
  let looking: NodeJS.Timeout | undefined
  const refused = new AbortController()
  try {
    const answer = await exploreIsolated(threads, text, request, {
      cwd,
      signal: AbortSignal.any([signal, refused.signal]),
      started: (progress) => {
        const { onProgress } = options
        if (!onProgress) return
        looking = setInterval(() => {
          try {
            onProgress(progress())
          } catch (error) {
            clearInterval(looking)
            refused.abort(error) // the caller's mistake is the caller's to hear of
          }
        }, PROGRESS_EVERY_MS)
      },
    })
    if (refused.signal.aborted) throw refused.signal.reason
    if ('problem' in answer) throw new UsageError(answer.problem)
    if (request.checkpoint && answer.report.inconclusive === null)
      await discardCheckpoint(resolve(cwd, request.checkpoint.folder))
    return { ...answer.report, commands: commandsOf(answer.report, options) }
  } finally {
    clearInterval(looking)
    await threads.destroy()
  }
}

/**
 * Explores every scenario of some models, and compares each with what it expects and with what is recorded.
 *
 * @param paths model files, and folders of them; none: those of the configuration, else `models`
 * @returns every result, and the exit status that `vmcheck gate` would end with: 0 when all is as expected
 * @throws UsageError for a configuration, a baseline or paths that cannot be used
 * @example
 * const { status, results } = await gate(['models'])
 */
export async function gate(
  paths: readonly string[] = [],
  options: GateOptions & GateSurroundings = {},
): Promise<GateOutcome> {
  checkGateOptions(paths, options)
  const { cwd, cache, signal } = surroundingsOf(options)
  return gateModels(paths, options, quietEnvironment(cwd, { cache, signal }), () => ({
    started: () => {},
    finished: (_, result) => options.onResult?.(result),
    end: () => {},
  }))
}

function surroundingsOf({
  cwd = process.cwd(),
  cache = usualCache(process.env),
  signal = new AbortController().signal,
}: Surroundings): {
  readonly cwd: string
  readonly cache: string | null
  readonly signal: AbortSignal
} {
  return { cwd, cache, signal }
}
