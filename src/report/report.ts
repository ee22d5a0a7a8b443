import type { Times } from '../explore/profile.ts'
import type { ScheduledStep } from '../trace/schedule.ts'
import type { RacingAccess, TraceStep, Waiting } from '../trace/trace.ts'
import type { Verdict, ViolationKind } from '../model/verdict.ts'

/** One violation, with everything needed to understand and to replay it. */
export interface Violation {
  readonly kind: ViolationKind
  readonly property: string
  /** One sentence in kernel terms. */
  readonly message: string
  /** No shorter trace exists. */
  readonly minimal: boolean
  /** Actors that can never move again. */
  readonly stuck: readonly number[]
  readonly schedule: readonly ScheduledStep[]
  readonly schedule_string: string
  readonly steps: readonly TraceStep[]
  readonly waiting: readonly Waiting[]
  /** Of a data race: the two accesses. */
  readonly accesses?: readonly RacingAccess[]
}

/** Code of the model that no interleaving reached. */
export interface Unreached {
  readonly what: 'point' | 'branch' | 'choice'
  readonly at: { readonly file: string; readonly line: number; readonly column: number }
}

/** Where the time of a search went. */
export interface SearchProfile {
  /** Wall time of the search. */
  readonly seconds: number
  /** CPU seconds of the process: until all states were stored and checked, and in all. */
  readonly cpu: { readonly search: number; readonly all: number }
  /** By phase, summed over all threads. */
  readonly milliseconds: Times
  readonly states: number
  readonly transitions: number
  /** Steps and blocked attempts that the search looked up. */
  readonly asked: number
  /** How often the model's code ran, to record a step or because it is not recorded. */
  readonly executed: number
}

/** The report of one search (docs: the report's fields that scripts may rely on). */
export interface Report {
  readonly schema: 'vmcheck.report/1'
  readonly model: {
    readonly name: string
    readonly file: string
    readonly title: string
    readonly scenario: string | null
    readonly params: Readonly<Record<string, unknown>>
    readonly digest: string
  }
  readonly verdict: Verdict
  readonly exhaustive: boolean
  readonly assumptions: readonly string[]
  /** What else is worth knowing about the search. */
  readonly notes: readonly string[]
  readonly violations: readonly Violation[]
  readonly actors: readonly { readonly id: number; readonly name: string; readonly cpu: number; readonly kind: string }[]
  readonly inconclusive: { readonly reason: string; readonly frontier: number } | null
  readonly unreached: readonly Unreached[]
  readonly stats: {
    readonly strategy: string
    readonly reduction: readonly string[]
    readonly granularity: string
    readonly semantics: number
    readonly workers: number
    readonly states: number
    readonly transitions: number
    readonly executions: number
    readonly depth: number
    readonly endStates: number
    readonly seconds: number
    readonly bytesPerState: number
    readonly memoryBytes: number
  }
  /** With --profile. */
  readonly profile?: SearchProfile
  readonly tool: { readonly name: 'vmcheck'; readonly version: string }
}

/** Changes whenever the counts of a model may change. */
export const SEMANTICS = 1
