import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { Config } from '../../config/index.ts'
import { checkConfig } from '../../config/check.ts'
import { loadConfig } from '../../config/load.ts'
import {
  type Baseline,
  BaselineError,
  drifts,
  isRecordedAnew,
  notesOn,
  readBaseline,
  updated,
} from '../../gate/baseline.ts'
import { type Drift, type GateResult, type GateSummary, exitStatusOf } from '../../gate/gate-result.ts'
import { ResultCache } from '../../gate/result-cache.ts'
import { type Revision, RevisionError, digestsAt, revisionAt, textAt } from '../../gate/revision.ts'
import { UsageError } from '../../source/usage-error.ts'
import { buildDigest } from '../build-identity.ts'
import type { Environment } from '../environment.ts'
import { seconds, whole } from '../values.ts'
import { writeWhole } from '../write-whole.ts'
import { type Plan, planGate } from './plan.ts'
import { type GateListener, type PlannedCase, runGate } from './run.ts'

/** The options of a gate; those left out have their usual values. */
export interface GateOptions {
  /** The configuration, or its file. Usual: `vmcheck.config.ts`, where there is one. */
  readonly config?: Config | string | undefined
  /** File of recorded results. Usual: the configuration's, else `vmcheck.baseline.json` where there is one. */
  readonly baseline?: string | undefined
  /** Records the results in the baseline. */
  readonly update?: boolean | undefined
  /** Runs only scenarios whose model has changed since that git revision. */
  readonly changedSince?: string | undefined
  /** Folder of results: those of unchanged models are taken from it. */
  readonly resultCache?: string | undefined
  /** Seconds for all scenarios together. */
  readonly time?: number | undefined
  /** Cores to use, 1 to 256. Usual: those that there are. */
  readonly workers?: number | undefined
}

/** A baseline that was written. */
export interface Recording {
  /** The baseline's file. */
  readonly file: string
  /** Differences from the baseline before. */
  readonly changes: readonly Drift[]
  /** Whether nothing was recorded before. */
  readonly isNew: boolean
}

/** The outcome of a gate. */
export interface GateOutcome extends GateSummary {
  /** Exit status. If several apply: 2, else 1, else 3, else 0. */
  readonly status: 0 | 1 | 2 | 3
  /** With `update`; else null. */
  readonly recording: Recording | null
}

/** Results that are compared with what is recorded, unless something else is said. */
const BASELINE = 'vmcheck.baseline.json'

/**
 * Explores every scenario of the models under some paths, and compares each with what is expected and what is recorded.
 *
 * @param paths model files and folders of them; none: those of the configuration, else `models`
 * @param listening makes who is told of each scenario, once it is known which there are
 * @param named what messages call an option: as the caller writes it
 * @throws UsageError for a configuration, a baseline, a revision or paths that cannot be used
 */
export async function gateModels(
  paths: readonly string[],
  options: GateOptions,
  environment: Environment,
  listening: (cases: readonly PlannedCase[]) => GateListener,
  named: (option: string) => string = (option) => option,
): Promise<GateOutcome> {
  const started = performance.now()
  const inputs = await inputsOf(options, environment, named)
  const plan = await planned(paths, options, inputs, environment).catch((error: unknown) => {
    if (!(error instanceof RevisionError)) throw error
    throw new UsageError(`${named('changedSince')} ${options.changedSince}: ${error.message}`)
  })
  const explored = await exploreAll(plan, inputs, environment, listening)
  const results = [...plan.broken, ...explored]
  const isWhole = paths.length === 0 && !environment.signal.aborted
  const recording = options.update ? await record(inputs, plan, results, isWhole, environment) : null
  const drifted = inputs.baseline && !options.update ? drifts(inputs.baseline, results, plan.skipped, isWhole) : []
  return {
    results,
    drifts: drifted,
    notes: inputs.baseline && !options.update ? notesOn(inputs.baseline) : [],
    seconds: (performance.now() - started) / 1000,
    status: exitStatusOf(results, drifted.length),
    recording,
  }
}

/** What a gate works with, read once. */
interface Inputs {
  readonly config: Config
  readonly baselineFile: string
  /** Null: nothing is recorded. */
  readonly baseline: Baseline | null
  readonly cores: number
  readonly time: number
  readonly cache: ResultCache | null
}

async function inputsOf(
  options: GateOptions,
  environment: Environment,
  named: (option: string) => string,
): Promise<Inputs> {
  const { cwd } = environment
  const config =
    typeof options.config === 'object'
      ? checkConfig(options.config, null)
      : await loadConfig(cwd, options.config ?? null)
  const baselineFile = options.baseline ?? config.baseline ?? BASELINE
  const isAsked = options.baseline !== undefined || config.baseline !== undefined
  const isUpdate = options.update ?? false
  return {
    config,
    baselineFile,
    baseline: await readRecorded(baselineFile, isAsked && !isUpdate, isUpdate, cwd),
    cores: whole(named('workers'), options.workers, availableParallelism(), 1, 256),
    time: Math.min(seconds(named('time'), options.time), config.time ?? Infinity),
    cache: cacheOf(options, config, environment),
  }
}

function cacheOf(
  { resultCache, changedSince }: GateOptions,
  config: Config,
  { cwd, cache }: Environment,
): ResultCache | null {
  const folder = resultCache ?? config.cache ?? null
  if (folder !== null) return new ResultCache(resolve(cwd, folder))
  return changedSince !== undefined && cache !== null ? new ResultCache(join(cache, 'results')) : null
}

async function planned(
  paths: readonly string[],
  { changedSince }: GateOptions,
  { config, cores, time, cache, baseline, baselineFile }: Inputs,
  environment: Environment,
): Promise<Plan> {
  const revision = changedSince === undefined ? null : await revisionAt(changedSince, environment.cwd)
  const before = revision ? await baselineAt(revision, baselineFile) : baseline
  return planGate(
    {
      config,
      paths: paths.length > 0 ? paths : (config.paths ?? ['models']),
      isWhole: paths.length === 0,
      cores,
      time,
      // only cached results have to be told from those of other builds
      tool: cache ? await buildDigest() : '',
      before: revision && ((files) => digestsAt(revision, files)),
      isRecordedAnew: (one) => isRecordedAnew(before, baseline, one),
    },
    environment,
  )
}

/** The baseline as it was at a revision; null where there was none that can be read. */
async function baselineAt(revision: Revision, file: string): Promise<Baseline | null> {
  const text = await textAt(revision, file)
  try {
    return text === null ? null : readBaseline(text)
  } catch {
    return null
  }
}

async function exploreAll(
  { cases }: Plan,
  { cores, time, cache }: Inputs,
  { cwd, signal, interruptible }: Environment,
  listening: (cases: readonly PlannedCase[]) => GateListener,
): Promise<GateResult[]> {
  const listener = listening(cases)
  try {
    return await interruptible(() => runGate(cases, { cores, cwd, time, cache, signal, listener }))
  } finally {
    listener.end()
  }
}

async function readRecorded(file: string, isAsked: boolean, isUpdate: boolean, cwd: string): Promise<Baseline | null> {
  const text = await readFile(resolve(cwd, file), 'utf8').catch(() => null)
  if (text === null && isAsked)
    throw new UsageError(`baseline ${file}: no such file; vmcheck gate --update records one`)
  try {
    return text === null ? null : readBaseline(text)
  } catch (error) {
    if (!(error instanceof BaselineError)) throw error
    // one that is recorded again may be of any kind
    if (isUpdate) return null
    throw new UsageError(`baseline ${file}: ${error.message}`)
  }
}

async function record(
  { baselineFile, baseline }: Inputs,
  { skipped }: Plan,
  results: readonly GateResult[],
  isWhole: boolean,
  { cwd }: Environment,
): Promise<Recording> {
  const now = updated(baseline, results, skipped, isWhole)
  const changes = drifts(baseline ?? { ...now, models: {} }, results, skipped, isWhole && baseline !== null)
  await writeWhole(baselineFile, `${JSON.stringify(now, null, 2)}\n`, `baseline ${baselineFile}`, cwd)
  return { file: baselineFile, changes, isNew: baseline === null }
}
