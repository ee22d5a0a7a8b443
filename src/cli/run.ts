import type { Argv, CommandModule } from 'yargs'
import { renderJson } from '../report/formats/json.ts'
import type { Report } from '../report/report.ts'
import { renderTerminal } from '../report/formats/terminal.ts'
import { replayCommandOf } from '../session/command-lines.ts'
import { type RunRequest, runLive } from '../session/live/run.ts'
import { SHARED } from './options.ts'
import { withProgress } from './progress.ts'
import type { Terminal } from './process/terminal.ts'
import { seconds, whole } from '../session/values.ts'
import { formatOfReport, writeReports } from './write-reports.ts'

interface RunArguments {
  readonly model: string
  readonly scenario: string | undefined
  readonly set: readonly string[]
  readonly rounds: number | undefined
  readonly time: number | undefined
  readonly jitter: boolean
  readonly seed: number | undefined
  readonly check: readonly string[]
  readonly noCheck: readonly string[]
  readonly report: readonly string[]
  readonly json: boolean
  readonly quiet: boolean
}

/** Seconds that a run lasts unless something else is said. */
const USUAL_SECONDS = 10

/** `vmcheck run MODEL` */
export function runCommand(terminal: Terminal): CommandModule<object, RunArguments> {
  return {
    command: 'run <model>',
    describe: 'run one scenario of a model freely on worker threads, with real preemption',
    builder: (yargs) => options(yargs),
    handler: async (args) => {
      process.exitCode = await run(args, terminal)
    },
  }
}

function options(yargs: Argv): Argv<RunArguments> {
  return yargs
    .positional('model', { type: 'string', demandOption: true, describe: 'path of a model (.ts, .mts, .js, .mjs)' })
    .options({
      scenario: { type: 'string', requiresArg: true, describe: 'scenario to run' },
      set: SHARED.set,
      rounds: { type: 'number', requiresArg: true, describe: 'end after this many rounds: executions of all programs' },
      time: {
        type: 'number',
        requiresArg: true,
        describe: `end after this many seconds [${USUAL_SECONDS}, unless --rounds is given]`,
      },
      jitter: { type: 'boolean', default: false, describe: 'delay the CPUs at random points' },
      seed: { type: 'number', requiresArg: true, describe: 'seed of delays and choices [1]' },
      check: SHARED.check,
      'no-check': SHARED['no-check'],
      report: SHARED.report,
      json: SHARED.json,
      quiet: SHARED.quiet,
    }) as unknown as Argv<RunArguments>
}

async function run(args: RunArguments, terminal: Terminal): Promise<number> {
  args.report.forEach(formatOfReport)
  const request: RunRequest = {
    scenario: args.scenario ?? null,
    settings: args.set,
    check: args.check,
    noCheck: args.noCheck,
    rounds: whole('--rounds', args.rounds, Infinity, 1, 2 ** 31 - 1),
    time: args.time === undefined && args.rounds === undefined ? USUAL_SECONDS : seconds('--time', args.time),
    jitter: args.jitter,
    seed: whole('--seed', args.seed, 1, 0, 2 ** 25),
  }
  const ran = await withProgress(terminal, args.quiet || args.json, (environment) =>
    runLive(args.model, request, environment),
  )
  const report = { ...ran, commands: commands(ran, args) }
  const [found] = report.violations
  if (args.json) terminal.out(renderJson([report], false))
  else if (args.quiet)
    terminal.out(
      `${report.model.scenario ?? report.model.name}: ${report.verdict}${found ? ` (${found.kind}: ${found.message})` : ''}\n`,
    )
  else terminal.out(renderTerminal(report, { width: terminal.width, colour: terminal.colour }))
  await writeReports(args.report, [report], false, terminal)
  return found ? 1 : 3
}

/** What shows it again: a replay, for a free run comes this way once in a while; of a long one, from its report. */
function commands(report: Report, { set }: RunArguments): string[] {
  return [
    replayCommandOf(report.model, set, report.violations[0], 'step') ??
      'npx vmcheck replay REPORT, with the report that --report FILE.json writes',
  ]
}
