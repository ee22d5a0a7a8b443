/** The public entry `vmcheck/config`: what a `vmcheck.config.ts` is written with. */

import type { StrategyName } from '../source/strategy-names.ts'

/** Settings of the searches of `vmcheck gate`. */
export interface SearchSettings {
  /** As `vmcheck explore --strategy`. */
  readonly strategy?: StrategyName
  /** As `vmcheck explore --reduce`. Other reductions than the usual one have other counts: those are not compared then. */
  readonly reduce?: 'none' | 'symmetry' | 'por' | 'all'
  /** As `vmcheck explore --preemptions`. A pass under such a bound is none: the gate says so. */
  readonly preemptions?: number
  /** As `vmcheck explore --seed`. */
  readonly seed?: number
  /** As `vmcheck explore --runs`. */
  readonly runs?: number
  /** Seconds for one scenario. */
  readonly time?: number
  /** As `vmcheck explore --max-states`. */
  readonly maxStates?: number
  /** As `vmcheck explore --max-depth`. */
  readonly maxDepth?: number
  /** Budget of one scenario, such as `500MB`. */
  readonly memory?: string
  /** Worker threads of one scenario; 1, and for those that are `large` all there are. */
  readonly workers?: number
}

/** Settings for some scenarios. */
export interface Override extends SearchSettings {
  /** Which: `FILE` or `FILE#SCENARIO`; `*` stands for any text. */
  readonly match: string
  /** Whether they are left out. */
  readonly skip?: boolean
}

/** The configuration that a `vmcheck.config.ts` exports. */
export interface Config {
  /** Model files and folders. Default `models`. */
  readonly paths?: readonly string[]
  /** Settings of every scenario. */
  readonly search?: SearchSettings
  /** Settings of some, later ones over earlier ones. */
  readonly overrides?: readonly Override[]
  /** File of recorded results. Default `vmcheck.baseline.json`; used where it exists. */
  readonly baseline?: string
  /** Folder in which results are kept from run to run. Default: none, and with `--changed-since` the user's cache. */
  readonly cache?: string
  /** Seconds for all scenarios together; each that starts gets an equal share of the rest. */
  readonly time?: number
}

/** Gives a configuration its type. */
export function defineConfig(config: Config): Config {
  return config
}
