import { appendFile, readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { CommandModule } from 'yargs'
import { loadConfig } from '../config/load.ts'
import { type Baseline, BaselineError, drifts, isRecordedAnew, readBaseline, updated } from '../gate/baseline.ts'
import { type GateResult, exitStatusOf, wasInterrupted } from '../gate/gate-result.ts'
import { annotations } from '../gate/github.ts'
import {
  type GateSummary,
  detailLines,
  driftLines,
  gateJunit,
  gateMarkdown,
  gateSarif,
  resultLine,
  summaryLine,
  wrong,
} from '../gate/renderings.ts'
import { ResultCache } from '../gate/result-cache.ts'
import { type Revision, RevisionError, digestsAt, revisionAt, textAt } from '../gate/revision.ts'
import { painter } from '../report/formats/terminal.ts'
import { buildDigest } from '../session/build-identity.ts'
import { type Plan, planGate } from '../session/gate/plan.ts'
import { runGate } from '../session/gate/run.ts'
import { GateTable } from './gate-table.ts'
import type { Terminal } from './process/terminal.ts'
import { UsageError } from '../session/usage-error.ts'
import { seconds, whole } from './values.ts'
import { writeWhole } from './write-whole.ts'

interface GateArguments {
  readonly paths: readonly string[]
  readonly config: string | undefined
  readonly update: boolean
  readonly baseline: string | undefined
  readonly changedSince: string | undefined
  readonly cache: string | undefined
  readonly time: number | undefined
  readonly workers: number | undefined
  readonly junit: string | undefined
  readonly sarif: string | undefined
  readonly markdown: string | undefined
  readonly quiet: boolean
}

/** Results that are compared with what is recorded, unless something else is said. */
const BASELINE = 'vmcheck.baseline.json'

/** `vmcheck gate [PATH...]` */
export function gateCommand(terminal: Terminal): CommandModule<object, GateArguments> {
  return {
    command: 'gate [paths..]',
    describe: 'explore every scenario and compare each with what is expected of it',
    builder: (yargs) =>
      yargs
        .positional('paths', { type: 'string', array: true, describe: 'model files, or folders of them [models]' })
        .options({
          config: {
            type: 'string',
            requiresArg: true,
            describe: 'configuration [vmcheck.config.ts, where there is one]',
          },
          update: { type: 'boolean', default: false, describe: 'record the results in the baseline' },
          baseline: {
            type: 'string',
            requiresArg: true,
            describe: `file of recorded results [${BASELINE}, where there is one]`,
          },
          'changed-since': {
            type: 'string',
            requiresArg: true,
            describe: 'run only scenarios whose model changed since that git revision',
          },
          cache: {
            type: 'string',
            requiresArg: true,
            describe: 'folder of results: those of unchanged models are taken from it',
          },
          time: { type: 'number', requiresArg: true, describe: 'seconds for all scenarios together, fairly shared' },
          workers: { type: 'number', requiresArg: true, describe: 'cores to use [those available]' },
          junit: { type: 'string', requiresArg: true, describe: 'write JUnit XML' },
          sarif: { type: 'string', requiresArg: true, describe: 'write SARIF' },
          markdown: { type: 'string', requiresArg: true, describe: 'write Markdown' },
          quiet: { type: 'boolean', default: false, describe: 'only what is wrong, and the summary’s line' },
        }) as never,
    handler: async (args) => {
      process.exitCode = await run(args, terminal)
    },
  }
}

async function run(args: GateArguments, terminal: Terminal): Promise<number> {
  const started = performance.now()
  const config = await loadConfig(terminal.cwd, args.config ?? null)
  const baselineFile = args.baseline ?? config.baseline ?? BASELINE
  const isAsked = args.baseline !== undefined || config.baseline !== undefined
  const before = await readRecorded(baselineFile, isAsked && !args.update, args.update, terminal)
  const cores = whole('--workers', args.workers, availableParallelism(), 1, 256)
  const time = Math.min(seconds(args.time), config.time ?? Infinity)
  const cacheFolder = args.cache ?? config.cache ?? null
  const cache =
    cacheFolder !== null
      ? new ResultCache(resolve(terminal.cwd, cacheFolder))
      : args.changedSince !== undefined && terminal.cache !== null
        ? new ResultCache(join(terminal.cache, 'results'))
        : null
  const plan = await planned(args, terminal, { config, cores, cache, baseline: before, baselineFile })
  const explored = await explore(plan, args, terminal, { cores, time, cache })
  const results = [...plan.broken, ...explored]
  const isWhole = args.paths.length === 0 && !terminal.signal.aborted
  if (args.update) await record(baselineFile, before, results, isWhole, terminal)
  const summary: GateSummary = {
    results,
    drifts: before && !args.update ? drifts(before, results, isWhole) : [],
    seconds: (performance.now() - started) / 1000,
  }
  show(summary, terminal)
  await writeFiles(summary, args, terminal)
  return exitStatusOf(results, summary.drifts.length)
}

async function planned(
  args: GateArguments,
  terminal: Terminal,
  {
    config,
    cores,
    cache,
    baseline,
    baselineFile,
  }: Pick<Parameters<typeof planGate>[0], 'config' | 'cores'> & {
    readonly cache: ResultCache | null
    readonly baseline: Baseline | null
    readonly baselineFile: string
  },
): Promise<Plan> {
  const { changedSince } = args
  try {
    const revision = changedSince === undefined ? null : await revisionAt(changedSince, terminal.cwd)
    const baselineBefore = revision ? await baselineAt(revision, baselineFile) : baseline
    return await planGate(
      {
        config,
        paths: args.paths.length > 0 ? args.paths : (config.paths ?? ['models']),
        isWhole: args.paths.length === 0,
        cores,
        // only kept results have to be told from those of other builds
        tool: cache ? await buildDigest() : '',
        before: revision && ((files) => digestsAt(revision, files)),
        isRecordedAnew: (file, scenario) => isRecordedAnew(baselineBefore, baseline, { file, scenario }),
      },
      terminal,
    )
  } catch (error) {
    if (error instanceof RevisionError) throw new UsageError(`--changed-since ${changedSince}: ${error.message}`)
    throw error
  }
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

async function explore(
  { cases }: Plan,
  { quiet }: GateArguments,
  terminal: Terminal,
  { cores, time, cache }: { readonly cores: number; readonly time: number; readonly cache: ResultCache | null },
): Promise<GateResult[]> {
  const table = new GateTable(cases, terminal, quiet)
  try {
    return await terminal.interruptible(() =>
      runGate(cases, { cores, cwd: terminal.cwd, time, cache, signal: terminal.signal, listener: table }),
    )
  } finally {
    table.end()
  }
}

async function readRecorded(
  file: string,
  isAsked: boolean,
  isUpdate: boolean,
  { cwd }: Terminal,
): Promise<Baseline | null> {
  const text = await readFile(resolve(cwd, file), 'utf8').catch(() => null)
  if (text === null && isAsked)
    throw new UsageError(`baseline ${file}: no such file; vmcheck gate --update records one`)
  try {
    return text === null ? null : readBaseline(text)
  } catch (error) {
    if (!(error instanceof BaselineError)) throw error
    // one that is recorded anew may be of any kind
    if (isUpdate) return null
    throw new UsageError(`baseline ${file}: ${error.message}`)
  }
}

async function record(
  file: string,
  before: Baseline | null,
  results: readonly GateResult[],
  isWhole: boolean,
  terminal: Terminal,
): Promise<void> {
  const now = updated(before, results, isWhole)
  const changed = drifts(before ?? { ...now, models: {} }, results, isWhole && before !== null)
  await writeWhole(file, `${JSON.stringify(now, null, 2)}\n`, `baseline ${file}`, terminal)
  terminal.out(
    `${before ? [...driftLines(changed), `recorded in ${file}: ${changed.length} changed`].join('\n') : `recorded in ${file}: ${changed.length} scenarios`}\n`,
  )
}

function show(summary: GateSummary, terminal: Terminal): void {
  const paint = painter(terminal.colour)
  const bad = wrong(summary.results)
  for (const result of bad.filter((one) => !wasInterrupted(one)))
    terminal.out(`\n${paint('bold', resultLine(result))}\n${detailLines(result).join('\n')}\n`)
  if (summary.drifts.length > 0)
    terminal.out(
      `\n${paint('bold', 'Not as recorded:')}\n${driftLines(summary.drifts)
        .map((line) => `  ${line}`)
        .join('\n')}\n  If this is meant, record it: npx vmcheck gate --update\n`,
    )
  const isWell = bad.length === 0 && summary.drifts.length === 0
  terminal.out(`${isWell ? '' : '\n'}${paint(['bold', isWell ? 'green' : 'red'], summaryLine(summary))}\n`)
  if (terminal.ci) for (const line of annotations(bad, summary.drifts)) terminal.out(`${line}\n`)
}

async function writeFiles(
  summary: GateSummary,
  { junit, sarif, markdown }: GateArguments,
  terminal: Terminal,
): Promise<void> {
  if (junit !== undefined) await writeWhole(junit, gateJunit(summary, new Date()), `--junit ${junit}`, terminal)
  if (sarif !== undefined) await writeWhole(sarif, gateSarif(summary), `--sarif ${sarif}`, terminal)
  if (markdown !== undefined) await writeWhole(markdown, gateMarkdown(summary), `--markdown ${markdown}`, terminal)
  if (terminal.ci?.summary) {
    await appendFile(terminal.ci.summary, gateMarkdown(summary)).catch((error: Error) =>
      terminal.err(`vmcheck: the job summary cannot be written: ${error.message}\n`),
    )
  }
}
