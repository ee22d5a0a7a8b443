import type { Config, SearchSettings } from '../../config/index.ts'
import { keepsGoing } from '../../gate/judge.ts'
import { type GateCase, type GateResult, gateCase } from '../../gate/gate-result.ts'
import type { Scenario } from '../../model/model.ts'
import type { PlannedCase } from './run.ts'
import { modelFiles } from '../model-files.ts'
import { commandsOf } from '../command-lines.ts'
import { type ExploreOptions, requestOf } from '../options.ts'
import type { ExploreRequest } from '../request.ts'
import { type Outline, outlinesOf } from './outlines.ts'
import type { Environment } from '../environment.ts'
import { UsageError } from '../../source/usage-error.ts'

/** What is planned from. */
export interface PlanOptions {
  readonly config: Config
  readonly paths: readonly string[]
  /** Whether these are all that there are, as the configuration says. */
  readonly isWhole: boolean
  readonly cores: number
  /** Seconds for the loading of all models; Infinity: any time. */
  readonly time: number
  /** What vmcheck is that runs. */
  readonly tool: string
  /** Digests that models had at the revision to compare with; null: everything is run. */
  readonly before: ((files: readonly string[]) => Promise<ReadonlyMap<string, string | null>>) | null
  /** Whether a scenario's record in the baseline is another one than at that revision. */
  isRecordedAnew(one: GateCase): boolean
}

/** All scenarios found, and the models that cannot be loaded. */
export interface Plan {
  readonly cases: readonly PlannedCase[]
  readonly broken: readonly GateResult[]
  /** Scenarios that the configuration leaves out. */
  readonly skipped: readonly GateCase[]
}

/**
 * Finds every scenario of the models under some paths, and how each is to be searched.
 * @throws UsageError for paths without models; whatever `before` throws
 */
export async function planGate(
  { config, paths, isWhole, cores, time, tool, before, isRecordedAnew }: PlanOptions,
  environment: Environment,
): Promise<Plan> {
  const files = [...new Set((await Promise.all(paths.map((path) => modelFiles(path, environment.cwd)))).flat())]
  const found = await outlinesOf(files, environment, time)
  const models = found.filter((one) => 'bundle' in one)
  const broken = found.filter((one) => 'problem' in one).map(({ file, problem }) => unusable(file, problem))
  for (const { scenarios, bundle } of models)
    if (scenarios.size === 0)
      broken.push(unusable(bundle.file, `${bundle.file} has no scenarios: there is nothing to compare`))
  const skipped: GateCase[] = []
  const digests = (await before?.(models.map(({ bundle }) => bundle.file))) ?? new Map<string, string | null>()
  const cases = models.flatMap((outline) =>
    [...outline.scenarios].flatMap(([scenario, about]) => plan(outline, scenario, about)),
  )
  const unused = isWhole
    ? config.overrides?.find(({ match }) =>
        models.every(({ scenarios, bundle }) =>
          [...scenarios].every(([name, about]) => !isMeant(match, gateCase(bundle.file, name, about))),
        ),
      )
    : undefined
  if (unused && broken.length === 0)
    throw new UsageError(
      `the configuration's override for ${unused.match} means no scenario: give FILE or FILE#SCENARIO, with * for any text`,
    )
  if (cases.length + broken.length === 0) throw new UsageError('there is no scenario to explore: every one is left out')
  return { cases, broken, skipped }

  function plan({ bundle }: Outline, scenario: string, about: Scenario<never>): PlannedCase[] {
    const { file, digest } = bundle
    const one = gateCase(file, scenario, about)
    const settings = settingsOf(config, one)
    if (settings.skip) {
      skipped.push(one)
      return []
    }
    const options = optionsOf(scenario, about, settings, cores)
    const request = requestFor(options, cores)
    // neither the number of threads nor a bound that did not end the search matters to what it found; what a bound ended is not kept
    const { workers: _workers, limits: _limits, ...search } = request
    return [
      {
        bundle,
        scenario,
        about,
        request,
        hasCounts: request.strategy === 'bfs' && request.reduce === 'symmetry',
        commands: (report, violation) => commandsOf(report, options, violation),
        key: {
          tool,
          digest,
          file,
          scenario,
          search: JSON.stringify({ ...search, preemptions: String(search.preemptions) }),
        },
        isUnchanged: before !== null && digests.get(file) === digest && !isRecordedAnew(one),
      },
    ]
  }
}

/** A model of which no scenario can be explored. */
function unusable(file: string, problem: string): GateResult {
  return {
    file,
    scenario: '',
    about: null,
    report: null,
    seconds: 0,
    isKept: false,
    status: 'broken',
    differences: [problem],
  }
}

/** The settings of a scenario: those of all, under those of the overrides that mean it, the last one first. */
function settingsOf(
  { search = {}, overrides = [] }: Config,
  one: GateCase,
): SearchSettings & { readonly skip?: boolean } {
  return overrides
    .filter(({ match }) => isMeant(match, one))
    .reduce((settings, { match: _, ...override }) => ({ ...settings, ...override }), search)
}

/** Whether an override names a scenario, by its name or one that it had, or all of its model. */
function isMeant(match: string, { file, scenario, formerly = [] }: GateCase): boolean {
  const pattern = match
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
  const whole = new RegExp(`^${pattern}$`)
  return match.includes('#') ? [scenario, ...formerly].some((name) => whole.test(`${file}#${name}`)) : whole.test(file)
}

/** How a scenario is searched: settings that its strategy does not know mean nothing to it. */
function optionsOf(scenario: string, about: Scenario<never>, settings: SearchSettings, cores: number): ExploreOptions {
  const { strategy = 'bfs', reduce, preemptions, seed = 1, runs = 1000, workers, maxStates, maxDepth, time } = settings
  return {
    scenario,
    keepGoing: keepsGoing(about),
    strategy,
    ...(strategy === 'bfs'
      ? {
          reduce: reduce === 'symmetry' ? undefined : reduce,
          workers: Math.min(cores, workers ?? (about.large ? cores : 1)),
        }
      : { preemptions }),
    ...((strategy === 'random' || strategy === 'pct') && { seed, runs }),
    maxStates,
    maxDepth,
    time,
    memory: settings.memory,
  }
}

/** The request of a scenario: memory is shared by all that are explored at once. */
function requestFor(options: ExploreOptions, cores: number): ExploreRequest {
  const request = requestOf(options)
  const memory = options.memory === undefined ? request.limits.memory / cores : request.limits.memory
  return { ...request, limits: { ...request.limits, memory } }
}
