import { availableParallelism, totalmem } from 'node:os'
import { STRATEGIES } from '../explore/paths/strategies.ts'
import type { CheckpointRequest, ExploreRequest, Reduce } from './request.ts'
import { STRATEGY_NAMES, type StrategyName } from '../source/strategy-names.ts'
import { UsageError } from '../source/usage-error.ts'
import { memorySize, seconds, whole } from './values.ts'

/** The options of a search; those left out have their usual values. */
export interface ExploreOptions {
  /** Scenario to explore. Usual: the model's first. */
  readonly scenario?: string | undefined
  /** Parameters, as `KEY=VALUE` or by name, over the scenario's. */
  readonly set?: readonly string[] | Readonly<Record<string, unknown>> | undefined
  /** `access`: every access to a shared field is a step of its own. Usual: the scenario's, else `step`. */
  readonly granularity?: 'step' | 'access' | undefined
  /** Names of the checks that are on. Usual: the scenario's, else all. */
  readonly check?: readonly string[] | undefined
  /** Names of checks that are off. */
  readonly noCheck?: readonly string[] | undefined
  /** Collects the first violation of each kind and property instead of ending at the first one. */
  readonly keepGoing?: boolean | undefined
  /** Usual: `bfs`, all states, breadth first. */
  readonly strategy?: StrategyName | undefined
  /** Reductions of `bfs`. Usual: `symmetry`. */
  readonly reduce?: Reduce | undefined
  /** Of `random` and `pct`: another seed, other executions. 0 to 2^32 - 1, usual 1. */
  readonly seed?: number | undefined
  /** Of `random` and `pct`: how many executions. Usual: 1000. */
  readonly runs?: number | undefined
  /** Of `pct`: how many orderings make up a bug. 1 to 100, usual 3. */
  readonly bugDepth?: number | undefined
  /** Of `dfs`, `dpor`, `random` and `pct`: at most so many preemptions in an execution. */
  readonly preemptions?: number | undefined
  /** Threads of `bfs`. 1 to 256, usual: the cores that there are. */
  readonly workers?: number | undefined
  /** The search ends inconclusive at this many states. */
  readonly maxStates?: number | undefined
  /** The search ends inconclusive beyond this many steps. */
  readonly maxDepth?: number | undefined
  /** Seconds after which the search ends inconclusive. */
  readonly time?: number | undefined
  /** Budget such as `500MB`. Usual: half of the machine's memory. */
  readonly memory?: string | undefined
  /** Folder to write the search to. */
  readonly checkpoint?: string | undefined
  /** Folder whose search is continued. */
  readonly resume?: string | undefined
  /** Seconds between checkpoints. Usual: 180. */
  readonly checkpointEvery?: number | undefined
  /** The report says which preemptions of the trace are essential. */
  readonly explain?: boolean | undefined
  /** The report says where the time went. */
  readonly profile?: boolean | undefined
}

/** The name of an option in messages: as the caller writes it. */
export type Naming = (option: keyof ExploreOptions) => string

/** Seconds between checkpoints unless something else is said. */
export const CHECKPOINT_EVERY_SECONDS = 180

/** Options of `bfs`, and of no strategy that follows executions. */
const OF_BREADTH_FIRST: readonly (keyof ExploreOptions)[] = [
  'reduce',
  'explain',
  'profile',
  'workers',
  'checkpoint',
  'resume',
]

/** Options that only some strategies know. */
const BELONGING: readonly (keyof ExploreOptions)[] = [
  ...OF_BREADTH_FIRST,
  ...new Set(Object.values(STRATEGIES).flatMap(({ options }) => options)),
]

/**
 * A request with its defaults filled in.
 *
 * @param naming what messages call an option
 * @throws UsageError for a value out of range, and for options that exclude each other
 */
export function requestOf(options: ExploreOptions, naming: Naming = (option) => option): ExploreRequest {
  const strategy = options.strategy ?? 'bfs'
  checkStrategy(strategy, options, naming)
  const number = (option: NumberOption, usual: number, min: number, max: number): number =>
    whole(naming(option), options[option], usual, min, max)
  return {
    scenario: options.scenario ?? null,
    settings: settingsOf(options.set ?? []),
    granularity: options.granularity ?? null,
    check: options.check ?? [],
    noCheck: options.noCheck ?? [],
    keepGoing: options.keepGoing ?? false,
    strategy,
    reduce: options.reduce ?? 'symmetry',
    seed: number('seed', 1, 0, 2 ** 32 - 1),
    runs: number('runs', 1000, 1, Infinity),
    bugDepth: number('bugDepth', 3, 1, 100),
    preemptions: number('preemptions', Infinity, 0, Infinity),
    workers: strategy === 'bfs' ? number('workers', availableParallelism(), 1, 256) : 1,
    limits: {
      maxStates: number('maxStates', Infinity, 1, Infinity),
      maxDepth: number('maxDepth', Infinity, 0, Infinity),
      time: seconds(naming('time'), options.time),
      memory: options.memory === undefined ? totalmem() / 2 : memorySize(naming('memory'), options.memory),
    },
    checkpoint: checkpointOf(options, naming),
    explain: options.explain ?? false,
    profile: options.profile ?? false,
  }
}

type NumberOption = 'seed' | 'runs' | 'bugDepth' | 'preemptions' | 'workers' | 'maxStates' | 'maxDepth'

/** Parameters as `KEY=VALUE`, however they are given. */
export function settingsOf(set: NonNullable<ExploreOptions['set']>): readonly string[] {
  return isList(set) ? set : Object.entries(set).map(([key, value]) => `${key}=${String(value)}`)
}

function isList(set: NonNullable<ExploreOptions['set']>): set is readonly string[] {
  return Array.isArray(set)
}

/** An option that the strategy would ignore is a mistake. */
function checkStrategy(strategy: StrategyName, options: ExploreOptions, naming: Naming): void {
  if (!STRATEGY_NAMES.includes(strategy))
    throw new UsageError(`${naming('strategy')} is one of ${STRATEGY_NAMES.join(', ')}`)
  for (const option of BELONGING) {
    // one worker is what the others have
    const isGiven =
      options[option] !== undefined && options[option] !== false && !(option === 'workers' && options.workers === 1)
    const knowing = STRATEGY_NAMES.filter((name) => optionsOf(name).includes(option))
    if (isGiven && !knowing.includes(strategy))
      throw new UsageError(
        `${naming(option)} goes with ${naming('strategy')} ${knowing.join(' or ')}, not with ${strategy}`,
      )
  }
}

function optionsOf(name: StrategyName): readonly (keyof ExploreOptions)[] {
  return name === 'bfs' ? OF_BREADTH_FIRST : STRATEGIES[name].options
}

/** Where the search is kept: with both options in the same folder, whether or not it was begun. */
function checkpointOf(options: ExploreOptions, naming: Naming): CheckpointRequest | null {
  const { checkpoint, resume, checkpointEvery, reduce } = options
  const [write, read, period] = [naming('checkpoint'), naming('resume'), naming('checkpointEvery')]
  const folder = resume ?? checkpoint
  if (folder === undefined) {
    if (checkpointEvery !== undefined) throw new UsageError(`${period} goes with ${write} or ${read}`)
    return null
  }
  if (checkpoint !== undefined && resume !== undefined && checkpoint !== resume)
    throw new UsageError(`${write} and ${read} name different folders: a search continues in its own folder`)
  if (reduce === 'por' || reduce === 'all')
    throw new UsageError(
      `${resume === undefined ? write : read} goes with ${naming('reduce')} none or symmetry: partial-order searches cannot be continued`,
    )
  const every = checkpointEvery ?? CHECKPOINT_EVERY_SECONDS
  if (!(every >= 0)) throw new UsageError(`${period} takes a number of seconds, 0 or more`)
  return { folder, mayBegin: checkpoint !== undefined, mayResume: resume !== undefined, every }
}
