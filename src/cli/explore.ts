import { availableParallelism, totalmem } from 'node:os'
import { resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import type { LoadedModel } from '../runtime/load.ts'
import { discardCheckpoint } from '../explore/search/checkpoint/checkpoints.ts'
import { describe, isExpected } from '../gate/judge.ts'
import { oneLine } from '../source/texts.ts'
import { renderJson } from '../report/formats/json.ts'
import { renderProfile } from '../report/formats/profile.ts'
import type { Report } from '../report/report.ts'
import { renderTerminal } from '../report/formats/terminal.ts'
import { replayCommandOf } from '../session/replay-command.ts'
import { exitStatus } from '../session/assemble.ts'
import type { ExploreRequest, Reduce } from '../session/request.ts'
import { explore, loadModel } from '../session/explore.ts'
import { SHARED } from './options.ts'
import { commandLine } from '../session/command-line.ts'
import { ruler } from './show.ts'
import { withProgress } from './progress.ts'
import type { Terminal } from './process/terminal.ts'
import { UsageError } from '../session/usage-error.ts'
import { memorySize } from '../session/memory-size.ts'
import { seconds, whole } from './values.ts'
import { formatOfReport, writeReports } from './write-reports.ts'

interface ExploreArguments {
  readonly model: string
  readonly scenario: string | undefined
  readonly all: boolean
  readonly set: readonly string[]
  readonly strategy: ExploreRequest['strategy']
  readonly seed: number | undefined
  readonly runs: number | undefined
  readonly bugDepth: number | undefined
  readonly preemptions: number | undefined
  readonly reduce: Reduce | undefined
  readonly granularity: 'step' | 'access' | undefined
  readonly check: readonly string[]
  readonly noCheck: readonly string[]
  readonly keepGoing: boolean
  readonly workers: number | undefined
  readonly maxStates: number | undefined
  readonly maxDepth: number | undefined
  readonly time: number | undefined
  readonly memory: string | undefined
  readonly report: readonly string[]
  readonly json: boolean
  readonly checkpoint: string | undefined
  readonly resume: string | undefined
  readonly checkpointEvery: number | undefined
  readonly explain: boolean
  readonly profile: boolean
  readonly quiet: boolean
}

/** Seconds between checkpoints unless something else is said. */
const USUAL_PERIOD = 180

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
        choices: ['bfs', 'dfs', 'dpor', 'random', 'pct'] as const,
        requiresArg: true,
        default: 'bfs',
        describe: 'how to search: all states breadth or depth first, one execution of each kind, random executions',
      },
      reduce: {
        choices: ['none', 'symmetry', 'por', 'all'] as const,
        requiresArg: true,
        describe: 'reductions of bfs [symmetry]',
      },
      seed: { type: 'number', requiresArg: true, describe: 'of random and pct: another seed, other executions [1]' },
      runs: { type: 'number', requiresArg: true, describe: 'of random and pct: how many executions [1000]' },
      'bug-depth': { type: 'number', requiresArg: true, describe: 'of pct: how many orderings make up a bug [3]' },
      preemptions: {
        type: 'number',
        requiresArg: true,
        describe: 'of dfs, dpor, random and pct: at most so many in an execution',
      },
      granularity: {
        choices: ['step', 'access'] as const,
        requiresArg: true,
        describe: 'whether plain accesses share steps',
      },
      check: SHARED.check,
      'no-check': SHARED['no-check'],
      'keep-going': { type: 'boolean', default: false, describe: 'collect the first of each kind and property' },
      workers: { type: 'number', requiresArg: true, describe: 'worker threads [the cores available]' },
      'max-states': { type: 'number', requiresArg: true, describe: 'end inconclusive at this many states' },
      'max-depth': { type: 'number', requiresArg: true, describe: 'end inconclusive beyond this many steps' },
      time: {
        type: 'number',
        requiresArg: true,
        describe: 'end inconclusive after this many seconds; with --all, of all scenarios together',
      },
      memory: { type: 'string', requiresArg: true, describe: 'budget such as 500MB or 4GB [half of the machine’s]' },
      report: SHARED.report,
      json: SHARED.json,
      checkpoint: {
        type: 'string',
        requiresArg: true,
        describe: 'folder to write the search to, now and then and when it is ended early',
      },
      resume: { type: 'string', requiresArg: true, describe: 'go on with the search in this folder' },
      'checkpoint-every': {
        type: 'number',
        requiresArg: true,
        describe: `seconds between checkpoints [${USUAL_PERIOD}]`,
      },
      explain: { type: 'boolean', default: false, describe: 'say which preemptions of the trace are essential' },
      profile: { type: 'boolean', default: false, describe: 'say where the time went' },
      quiet: SHARED.quiet,
    }) as unknown as Argv<ExploreArguments>
}

async function run(args: ExploreArguments, terminal: Terminal): Promise<number> {
  const request = requestOf(args)
  if (args.all && args.scenario !== undefined) throw new UsageError('--all and --scenario exclude each other')
  args.report.forEach(formatOfReport)
  checkCombination(args)
  const loaded = await loadModel(args.model, terminal)
  const names = args.all ? [...loaded.model.scenarios.keys()] : [args.scenario ?? null]
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
      commands: commands(explored, args),
      notes: [...explored.notes, ...expectation(explored, loaded, args)],
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

/** The command lines that show the same again: exploring, and on live CPUs. */
function commands(report: Report, args: ExploreArguments): string[] {
  const replay = replayCommandOf(report.model, args.set, report.violations[0], report.stats.granularity)
  return [again(report, args), ...(replay === null ? [] : [replay])]
}

/** The command line that explores the same again. */
function again(report: Report, args: ExploreArguments): string {
  const words = ['npx vmcheck explore', report.model.file]
  if (report.model.scenario !== null) words.push('--scenario', report.model.scenario)
  for (const setting of args.set) words.push('--set', setting)
  if (args.strategy !== 'bfs') words.push('--strategy', args.strategy)
  if (args.seed !== undefined) words.push('--seed', String(args.seed))
  if (args.runs !== undefined) words.push('--runs', String(args.runs))
  if (args.bugDepth !== undefined) words.push('--bug-depth', String(args.bugDepth))
  if (args.preemptions !== undefined) words.push('--preemptions', String(args.preemptions))
  if (args.reduce !== undefined) words.push('--reduce', args.reduce)
  if (args.granularity) words.push('--granularity', args.granularity)
  for (const check of args.check) words.push('--check', check)
  for (const check of args.noCheck) words.push('--no-check', check)
  return commandLine(words)
}

/** Options that only some strategies know, and which. */
const BELONGS: readonly (readonly [
  option:
    | 'reduce'
    | 'explain'
    | 'profile'
    | 'workers'
    | 'checkpoint'
    | 'resume'
    | 'preemptions'
    | 'seed'
    | 'runs'
    | 'bugDepth',
  shown: string,
  strategies: readonly string[],
])[] = [
  ['reduce', '--reduce', ['bfs']],
  ['explain', '--explain', ['bfs']],
  ['profile', '--profile', ['bfs']],
  ['workers', '--workers', ['bfs']],
  ['checkpoint', '--checkpoint', ['bfs']],
  ['resume', '--resume', ['bfs']],
  ['preemptions', '--preemptions', ['dfs', 'dpor', 'random', 'pct']],
  ['seed', '--seed', ['random', 'pct']],
  ['runs', '--runs', ['random', 'pct']],
  ['bugDepth', '--bug-depth', ['pct']],
]

/** An option that the strategy would ignore is a mistake. */
function checkCombination(args: ExploreArguments): void {
  for (const [option, shown, strategies] of BELONGS) {
    // one worker is what the others have
    const isGiven =
      args[option] !== undefined && args[option] !== false && !(option === 'workers' && args.workers === 1)
    if (isGiven && !strategies.includes(args.strategy))
      throw new UsageError(`${shown} goes with --strategy ${strategies.join(' or ')}, not with ${args.strategy}`)
  }
}

function requestOf(args: ExploreArguments): Omit<ExploreRequest, 'scenario'> {
  const cores = availableParallelism()
  return {
    settings: args.set,
    granularity: args.granularity ?? null,
    check: args.check,
    noCheck: args.noCheck,
    keepGoing: args.keepGoing,
    strategy: args.strategy,
    reduce: args.reduce ?? 'symmetry',
    seed: whole('--seed', args.seed, 1, 0, 2 ** 32 - 1),
    runs: whole('--runs', args.runs, 1000, 1, Infinity),
    bugDepth: whole('--bug-depth', args.bugDepth, 3, 1, 100),
    preemptions: whole('--preemptions', args.preemptions, Infinity, 0, Infinity),
    workers: whole('--workers', args.workers, cores, 1, 256),
    limits: {
      maxStates: whole('--max-states', args.maxStates, Infinity, 1, Infinity),
      maxDepth: whole('--max-depth', args.maxDepth, Infinity, 0, Infinity),
      time: seconds(args.time),
      memory: args.memory === undefined ? totalmem() / 2 : memorySize(args.memory),
    },
    checkpoint: checkpointOf(args),
    explain: args.explain,
    profile: args.profile,
  }
}

/** Where the search is kept: with both options in the same folder, whether or not it was begun. */
function checkpointOf({
  checkpoint,
  resume,
  checkpointEvery,
  all,
  reduce,
}: ExploreArguments): ExploreRequest['checkpoint'] {
  const folder = resume ?? checkpoint
  if (folder === undefined) {
    if (checkpointEvery !== undefined) throw new UsageError('--checkpoint-every goes with --checkpoint or --resume')
    return null
  }
  const option = resume === undefined ? '--checkpoint' : '--resume'
  if (checkpoint !== undefined && resume !== undefined && checkpoint !== resume)
    throw new UsageError('--checkpoint and --resume name different folders: a search goes on where it was')
  if (all) throw new UsageError(`${option} is for one scenario, not for --all`)
  if (reduce === 'por' || reduce === 'all')
    throw new UsageError(
      `${option} goes with --reduce none or symmetry: a search that learns what to leave out has no state to go on from`,
    )
  const every = checkpointEvery ?? USUAL_PERIOD
  if (!(every >= 0)) throw new UsageError('--checkpoint-every takes a number of seconds, 0 or more')
  return { folder, mayBegin: checkpoint !== undefined, mayResume: resume !== undefined, every }
}
