import { presentName } from '../../model/model.ts'
import { ParameterError, savedParameters } from '../../model/parameters.ts'
import { checks } from '../../../checks/index.ts'
import { bundle } from '../../bundle/bundle.ts'
import { type LoadedModel, load } from '../../runtime/load.ts'
import { type Followed, follow, followEnd, untoldEnd } from '../../live/follow.ts'
import { LiveMachine } from '../../live/live-machine.ts'
import { Replay, ThreadDied } from '../../live/replay.ts'
import type { Granularity } from '../../semantics/step-bounds.ts'
import { type Report, mostTelling } from '../../report/report.ts'
import { parseSchedule } from '../../trace/schedule.ts'
import type { Violation } from '../../trace/violation.ts'
import { choose } from '../request.ts'
import { savedReports } from '../saved-reports.ts'
import type { Environment } from '../environment.ts'
import { UsageError } from '../../source/usage-error.ts'

/** What is to be replayed: the machine, and what happens to it. */
export interface Replayable {
  readonly native: LoadedModel
  readonly scenario: string | null
  readonly params: Readonly<Record<string, unknown>>
  readonly granularity: Granularity
  /** Its steps are empty where only a schedule is known. */
  readonly violation: Violation
  /** Names of the checks that are on. */
  readonly checks: readonly string[]
  /** Whether what a step does, and what is wrong at the end, is known. */
  readonly isTold: boolean
}

/**
 * What a saved report has to replay.
 *
 * @param path of the report; `-`: standard input
 * @param number which of its violations, from 1
 * @param force whether a model that has changed since is taken all the same
 * @throws UsageError for a report that cannot be read, has nothing to replay, or is another model's; Refusal for a model that does not load
 */
export async function fromReport(
  path: string,
  number: number,
  force: boolean,
  environment: Environment,
): Promise<Replayable> {
  const report = mostTelling(await savedReports(path, environment))
  const violation = report.violations[number - 1]
  if (!violation)
    throw new UsageError(
      report.violations.length === 0
        ? `${path}: there is nothing to replay: its verdict is ${report.verdict}`
        : `--violation ${number}: the report has ${report.violations.length}`,
    )
  if (violation.kind === 'unreached') throw new UsageError(`${path}: there is nothing to replay: ${violation.message}`)
  const { model, stats } = report
  const native = load(await bundle(model.file, environment.cwd, environment.cache, 'native'))
  if (native.bundle.digest !== model.digest && !force)
    throw new UsageError(
      `${model.file} is not the model that ${path} is about: it has changed since (digest ${native.bundle.digest.slice(0, 12)}, in the report ${model.digest.slice(0, 12)}); explore it again, or give --force`,
    )
  return {
    native,
    ...savedChoice(native, report),
    granularity: stats.granularity === 'access' ? 'access' : 'step',
    violation,
    checks: checksOf(report),
    isTold: true,
  }
}

/** The scenario and the parameters of a saved report, as the model calls them now. */
function savedChoice(
  { model }: LoadedModel,
  { model: { file, scenario, params } }: Report,
): Pick<Replayable, 'scenario' | 'params'> {
  const name = scenario === null ? null : presentName(model, scenario)
  if (scenario !== null && name === null)
    throw new UsageError(`${file} has no scenario "${scenario}", which the report names`)
  try {
    return { scenario: name, params: savedParameters(model.parameters, params) }
  } catch (error) {
    if (error instanceof ParameterError) throw new UsageError(`the report's parameters: ${error.message}`)
    throw error
  }
}

/**
 * What a schedule, given as text, has to replay.
 * @throws UsageError for a schedule that cannot be read, unknown scenarios or parameters
 */
export async function fromSchedule(
  model: string,
  text: string,
  request: {
    readonly scenario: string | null
    readonly settings: readonly string[]
    readonly granularity: Granularity | null
  },
  environment: Environment,
): Promise<Replayable> {
  const schedule = scheduleOf(text)
  const native = load(await bundle(model, environment.cwd, environment.cache, 'native'))
  const { name, scenario, params } = choose(native, request)
  const violation: Violation = {
    kind: 'deadlock',
    property: '',
    message: '',
    minimal: false,
    stuck: [],
    schedule,
    schedule_string: text,
    steps: [],
    waiting: [],
  }
  return {
    native,
    scenario: name,
    params,
    granularity: request.granularity ?? scenario?.granularity ?? 'step',
    violation,
    checks: scenario?.checks ?? checks.map(({ name: check }) => check),
    isTold: false,
  }
}

/** Names of the checks that were on: an assertion that is off does not end a step. */
export function checksOf({ assumed = [] }: Report): readonly string[] {
  const off = assumed.flatMap((one) => (one.code === 'check-off' ? [one.check] : []))
  return checks.map(({ name }) => name).filter((name) => !off.includes(name))
}

/** Starts the live machine of what is to be replayed, and runs `body` on it. */
export async function onLiveCpus<T>(
  { native, params, granularity, violation, checks: checked }: Replayable,
  environment: Environment,
  body: (replay: Replay, live: LiveMachine) => Promise<T>,
): Promise<T> {
  const field = violation.accesses?.[0]?.field
  const live = await LiveMachine.start(native, params, {
    checks: checked,
    granularity,
    driving: (actor, { memory }) => {
      const access = violation.accesses?.find((one) => one.actor === actor)
      const taken = violation.schedule.flatMap((step) => (step.actor === actor ? [step.choices] : []))
      return {
        by: 'script',
        script: access?.choices ? [...taken, access.choices] : taken,
        halt: field === undefined ? -1 : memory.fields.findIndex(({ name }) => name === field),
        haltsAtWrite: access?.access === 'write',
      }
    },
  })
  try {
    const replay = new Replay(live, environment.signal)
    await replay.ready()
    return await body(replay, live)
  } catch (error) {
    if (error instanceof ThreadDied) throw new UsageError(`${error.message}; nothing can be said`)
    throw error
  } finally {
    await live.close()
  }
}

/** Replays from the start to the end, once. */
export async function replayOnce(replay: Replay, { violation, isTold }: Replayable): Promise<Followed> {
  await replay.begin()
  const followed = await follow(replay, violation, () =>
    isTold ? followEnd(replay, violation, checks) : untoldEnd(replay, checks),
  )
  await replay.end()
  return followed
}

function scheduleOf(text: string): Violation['schedule'] {
  try {
    return parseSchedule(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`--schedule: ${error.message}`)
    throw error
  }
}
