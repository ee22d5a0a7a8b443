import type { Argv, CommandModule } from 'yargs'
import type { Followed } from '../live/follow.ts'
import type { LiveMachine } from '../live/live-machine.ts'
import { Interrupted } from '../live/replay.ts'
import { renderReplay } from '../report/formats/replay.ts'
import { type Replayable, fromReport, fromSchedule, onLiveCpus, replayOnce } from '../session/live/replay.ts'
import type { Terminal } from './process/terminal.ts'
import { walk } from './walk.ts'
import { UsageError } from '../source/usage-error.ts'
import { whole } from '../session/values.ts'

interface ReplayArguments {
  readonly report: string
  readonly schedule: string | undefined
  readonly scenario: string | undefined
  readonly set: readonly string[]
  readonly granularity: 'step' | 'access' | undefined
  readonly violation: number | undefined
  readonly times: number | undefined
  readonly step: boolean
  readonly force: boolean
  readonly quiet: boolean
}

/** `vmcheck replay REPORT` */
export function replayCommand(terminal: Terminal): CommandModule<object, ReplayArguments> {
  return {
    command: 'replay <report>',
    describe: 'replay the schedule of a saved report on worker threads, and compare each step with the report',
    builder: (yargs) => options(yargs),
    handler: async (args) => {
      process.exitCode = await run(args, terminal)
    },
  }
}

function options(yargs: Argv): Argv<ReplayArguments> {
  return yargs
    .positional('report', {
      type: 'string',
      demandOption: true,
      describe: 'a saved report (.json), - for standard input; with --schedule, a model',
    })
    .options({
      schedule: { type: 'string', requiresArg: true, describe: 'a schedule such as v1:0x3,1.0,0 instead of a report' },
      scenario: { type: 'string', requiresArg: true, describe: 'with --schedule: the scenario' },
      set: {
        type: 'string',
        array: true,
        nargs: 1,
        default: [],
        describe: 'with --schedule: KEY=VALUE, over the scenario’s parameters (repeatable)',
      },
      granularity: {
        choices: ['step', 'access'] as const,
        requiresArg: true,
        describe: 'with --schedule: the granularity that it was recorded with',
      },
      violation: { type: 'number', requiresArg: true, describe: 'which of the report’s violations [1]' },
      times: { type: 'number', requiresArg: true, describe: 'replay this many times; all outcomes must be equal [1]' },
      step: { type: 'boolean', default: false, describe: 'walk through the schedule step by step' },
      force: { type: 'boolean', default: false, describe: 'replay even if the model has changed since the report' },
      quiet: { type: 'boolean', default: false, describe: 'only the outcome’s line' },
    }) as unknown as Argv<ReplayArguments>
}

async function run(args: ReplayArguments, terminal: Terminal): Promise<number> {
  const times = whole('--times', args.times, 1, 1, 2 ** 31 - 1)
  if (args.step && times > 1) throw new UsageError('--step and --times exclude each other')
  const replayable = await replayableOf(args, terminal)
  try {
    return await terminal.interruptible(() =>
      onLiveCpus(replayable, terminal, async (replay, live) => {
        if (args.step) return (await walk(replay, live, replayable, terminal)) ? 0 : 1
        const started = performance.now()
        const followed = await replayOnce(replay, replayable)
        const first = JSON.stringify(followed)
        let alike = 1
        while (alike < times && JSON.stringify(await replayOnce(replay, replayable)) === first) alike++
        terminal.out(show(args, replayable, live, followed, terminal))
        if (times > 1)
          terminal.out(
            alike === times
              ? `${times} replays, all alike, in ${((performance.now() - started) / 1000).toFixed(2)} s\n`
              : `replay ${alike + 1} differs from those before\n`,
          )
        return followed.difference === null && alike === times ? 0 : 1
      }),
    )
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    terminal.err('vmcheck: interrupted before the replay was done\n')
    return 3
  }
}

function replayableOf(
  { report, schedule, scenario, set, granularity, violation, force }: ReplayArguments,
  terminal: Terminal,
): Promise<Replayable> {
  if (schedule !== undefined) {
    if (violation !== undefined || force)
      throw new UsageError(`${force ? '--force' : '--violation'} goes with a report, not with --schedule`)
    return fromSchedule(
      report,
      schedule,
      { scenario: scenario ?? null, settings: set, granularity: granularity ?? null },
      terminal,
    )
  }
  const [foreign] = [
    scenario !== undefined && '--scenario',
    set.length > 0 && '--set',
    granularity !== undefined && '--granularity',
  ].filter((option) => option !== false)
  if (foreign) throw new UsageError(`${foreign} goes with --schedule: a report says which machine it is about`)
  // the parser makes nothing of a lone hyphen
  return fromReport(report === '' ? '-' : report, whole('--violation', violation, 1, 1, Infinity), force, terminal)
}

function show(
  { quiet }: ReplayArguments,
  { native, scenario, params, violation }: Replayable,
  live: LiveMachine,
  { steps, difference, waiting, finding }: Followed,
  terminal: Terminal,
): string {
  const { actors } = live.machine
  return renderReplay(
    {
      title: native.model.title,
      file: native.bundle.file,
      scenario,
      params,
      actors: actors.map(({ id, name, cpu, kind }) => ({ id, name, cpu: cpu.index, kind })),
      told: violation.schedule.length,
      violation: {
        ...violation,
        ...(finding && { kind: finding.kind, property: finding.property, message: finding.message }),
        steps,
        waiting,
        ...(difference && { accesses: [] }),
      },
      difference,
    },
    { width: terminal.width, colour: terminal.colour, isBrief: quiet },
  )
}
