import { resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { presentSettings } from '../model/parameters.ts'
import type { LoadedModel } from '../runtime/load.ts'
import { discardCheckpoint } from '../explore/search/checkpoint/checkpoints.ts'
import { describe, isExpected } from '../gate/judge.ts'
import { oneLine } from '../source/texts.ts'
import { renderJson } from '../report/formats/json.ts'
import { renderProfile } from '../report/formats/profile.ts'
import type { Report } from '../report/report.ts'
import { renderTerminal } from '../report/formats/terminal.ts'
import { exitStatus } from '../session/assemble.ts'
import { STRATEGY_NAMES } from '../source/strategy-names.ts'
import { type ExploreOptions, CHECKPOINT_EVERY_SECONDS, requestOf } from '../session/options.ts'
import { explore, loadModel } from '../session/explore.ts'
import { SHARED } from './options.ts'
import { commandsOf, optionName } from '../session/command-lines.ts'
import { ruler } from './show.ts'
import { withProgress } from './progress.ts'
import type { Terminal } from './process/terminal.ts'
import { UsageError } from '../source/usage-error.ts'
import { formatOfReport, writeReports } from './write-reports.ts'

interface ExploreArguments extends ExploreOptions {
  readonly model: string
  readonly all: boolean
  readonly set: readonly string[]
  readonly check: readonly string[]
  readonly noCheck: readonly string[]
  readonly report: readonly string[]
  readonly json: boolean
  readonly quiet: boolean
}

/** `vmcheck explore MODEL` */
export function exploreCommand(terminal: Terminal): CommandModule<object, ExploreArguments> {
  return {
    command: 'explore <model>',
    describe: 'search one scenario of a model (its first, unless named) through every interleaving',
    builder: (yargs) => options(yargs),
    handler: async (args) => {
      process.exitCode = await run(args, terminal)
    },
  }
}

function options(yargs: Argv): Argv<ExploreArguments> {
  return yargs
    .positional('model', { type: 'string', demandOption: true, describe: 'path of a model (.ts, .mts, .js, .mjs)' })
    .options({
      scenario: { type: 'string', requiresArg: true, describe: 'scenario to explore' },
      all: { type: 'boolean', default: false, describe: 'explore every scenario' },
      set: SHARED.set,
      strategy: {
        choices: STRATEGY_NAMES,
        requiresArg: true,
        default: 'bfs',
        describe:
          'bfs, dfs: all states; dpor: one execution of each class of equivalent ones; random, pct: random executions',
      },
      reduce: {
        choices: ['none', 'symmetry', 'por', 'all'] as const,
        requiresArg: true,
        describe: 'reductions of bfs [symmetry]',
      },
      seed: { type: 'number', requiresArg: true, describe: 'seed of random executions (random, pct) [1]' },
      runs: { type: 'number', requiresArg: true, describe: 'number of random executions (random, pct) [1000]' },
      'bug-depth': {
        type: 'number',
        requiresArg: true,
        describe: 'number of ordering constraints that cause the bug (pct) [3]',
      },
      preemptions: {
        type: 'number',
        requiresArg: true,
        describe: 'skip executions with more preemptions (dfs, dpor, random, pct)',
      },
      granularity: {
        choices: ['step', 'access'] as const,
        requiresArg: true,
        describe: 'whether plain accesses share steps',
      },
      check: SHARED.check,
      'no-check': SHARED['no-check'],
      'keep-going': {
        type: 'boolean',
        default: false,
        describe: 'continue after a violation; report the first of each kind and property',
      },
      workers: { type: 'number', requiresArg: true, describe: 'worker threads [the cores available]' },
      'max-states': { type: 'number', requiresArg: true, describe: 'end inconclusive at this many states' },
      'max-depth': { type: 'number', requiresArg: true, describe: 'end inconclusive beyond this many steps' },
      time: {
        type: 'number',
        requiresArg: true,
        describe: 'end inconclusive after this many seconds; with --all, for all scenarios together',
      },
      memory: { type: 'string', requiresArg: true, describe: 'budget such as 500MB or 4GB [half of the machine’s]' },
      report: SHARED.report,
      json: SHARED.json,
      checkpoint: {
        type: 'string',
        requiresArg: true,
        describe: 'save the search in this folder, periodically and when it ends early',
      },
      resume: { type: 'string', requiresArg: true, describe: 'continue the search saved in this folder' },
      'checkpoint-every': {
        type: 'number',
        requiresArg: true,
        describe: `seconds between checkpoints [${CHECKPOINT_EVERY_SECONDS}]`,
      },
      explain: { type: 'boolean', default: false, describe: 'say which preemptions of the trace are essential' },
      profile: { type: 'boolean', default: false, describe: 'say where the time went' },
      quiet: SHARED.quiet,
    }) as unknown as Argv<ExploreArguments>
}

async function run(args: ExploreArguments, terminal: Terminal): Promise<number> {
  const request = requestOf(args, optionName)
  if (args.all && args.scenario !== undefined) throw new UsageError('--all and --scenario exclude each other')
  if (args.all && request.checkpoint)
    throw new UsageError(
      `${args.resume === undefined ? '--checkpoint' : '--resume'} is for one scenario, not for --all`,
    )
  args.report.forEach(formatOfReport)
  const loaded = await terminal.interruptible(() => loadModel(args.model, terminal), request.limits.time)
  const names = args.all ? [...loaded.model.scenarios.keys()] : [args.scenario ?? null]
  const set = presentSettings(loaded.model.parameters, args.set)
  const reports: Report[] = []
  const end = performance.now() / 1000 + request.limits.time
  for (const [i, scenario] of names.entries()) {
    // the time is for all of them: each gets its share of what is left
    const time = Math.max(0.001, (end - performance.now() / 1000) / (names.length - i))
    const explored = await withProgress(terminal, args.quiet || args.json, (environment) =>
      explore(loaded, { ...request, scenario, limits: { ...request.limits, time } }, environment),
    )
    const report = {
      ...explored,
      commands: commandsOf(explored, { ...args, set }),
      notes: [...explored.notes, ...renamed(explored, args, set), ...expectation(explored, loaded, args)],
    }
    reports.push(report)
    if (!args.json) terminal.out(show(report, args, terminal, reports.length > 1))
    if (report.profile) (args.json ? terminal.err : terminal.out)(`\n${renderProfile(report.profile)}`)
    if (terminal.signal.aborted) break
  }
  if (args.json) terminal.out(renderJson(reports, args.all))
  await writeReports(args.report, reports, args.all, terminal)
  if (request.checkpoint && reports[0]?.inconclusive === null)
    await discardCheckpoint(resolve(terminal.cwd, request.checkpoint.folder))
  // over several scenarios: 1 before 3 before 0
  return [1, 3, 0].find((status) => reports.some(({ verdict }) => exitStatus(verdict) === status)) ?? 0
}

/** What was asked for by a name that it had: the scenario, or a parameter's value. */
function renamed(
  report: Report,
  { scenario, set }: Pick<ExploreArguments, 'scenario' | 'set'>,
  present: readonly string[],
): string[] {
  const pairs = [
    ...(scenario === undefined ? [] : [[scenario, report.model.scenario] as const]),
    ...set.map((setting, i) => [setting, present[i]] as const),
  ]
  return pairs
    .filter(([given, now]) => given !== now)
    .map(([given, now]) => `${given} is now called ${now}; the old name works until the next minor version`)
}

/** Whether the scenario's expectation was met, where it was explored as it stands. */
function expectation(
  report: Report,
  { model }: LoadedModel,
  { set, check, noCheck, preemptions }: ExploreArguments,
): string[] {
  const { scenario } = report.model
  const about = scenario === null ? undefined : model.scenarios.get(scenario)
  if (
    !about ||
    scenario === 'default' ||
    report.verdict === 'inconclusive' ||
    set.length + check.length + noCheck.length > 0 ||
    preemptions !== undefined
  )
    return []
  return [
    isExpected(report, about.expect)
      ? `this is what the scenario expects (${describe(about.expect)})`
      : `the scenario expects something else: ${describe(about.expect)}`,
  ]
}

function show(report: Report, args: ExploreArguments, terminal: Terminal, isLater: boolean): string {
  const separator = isLater && !args.quiet ? ruler(terminal) : ''
  const text = renderTerminal(report, { width: terminal.width, colour: terminal.colour })
  if (!args.quiet) return separator + text
  const what = report.violations.map(({ kind, message }) => `${kind}: ${oneLine(message)}`).join('; ')
  return `${[report.model.scenario ?? report.model.name, ...args.set].join(' ')}: ${report.verdict}${what === '' ? '' : ` (${what})`}\n`
}
