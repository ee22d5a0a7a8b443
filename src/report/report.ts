import type { Times } from '../explore/successors/profile.ts'
import type { StopReason, Verdict } from '../model/verdict.ts'
import type { SourcePlace } from '../source/refusal.ts'
import type { Amount, Count, Ordinal } from '../source/quantities.ts'
import type { MachineObject } from '../trace/trace.ts'
import type { Violation } from '../trace/violation.ts'

/** Code of the model that no interleaving reached. */
export interface Unreached {
  readonly what: 'point' | 'branch' | 'choice'
  readonly at: SourcePlace
}

/** Where the time of a search went. */
export interface SearchProfile {
  /** Wall time of the search. */
  readonly seconds: Amount
  /** CPU seconds of the process: until all states were stored and checked, and in all. */
  readonly cpu: { readonly search: Amount; readonly all: Amount }
  /** By phase, summed over all threads. */
  readonly milliseconds: Times
  readonly states: Count
  readonly transitions: Count
  /** Steps and blocked attempts that the search looked up. */
  readonly asked: Count
  /** Successors that were built and looked up: of the other transitions it was known that what they lead to is stored. */
  readonly built: Count
  /** How often the model's code ran, to record a step or because it is not recorded. */
  readonly executed: Count
}

/** What live CPUs did in a free run. */
export interface LiveStatistics {
  readonly rounds: Count
  readonly seconds: Amount
  /** Steps begun, of all actors. */
  readonly points: Count
  /** How often the machine was stopped for a look at its state. */
  readonly samples: Count
  /** By actor: steps begun, and attempts that found their operation blocked. */
  readonly actors: readonly { readonly actor: Count; readonly points: Count; readonly blocked: Count }[]
  /** Objects that actors waited at, the most contended first: operations that took effect there, and attempts that were blocked. */
  readonly contention: readonly { readonly target: string; readonly performed: Count; readonly blocked: Count }[]
}

/** Lines of a model's file, around the places that a trace names. */
export interface SourceExcerpt {
  readonly file: string
  /** Number of the first line, from 1. */
  readonly line: Ordinal
  readonly lines: readonly string[]
}

/** What a pass rests on beside the model itself: `check-off` (check), `pruned` (steps), `within` (properties, states), `preemptions` (bound), `endless-spin` (actors), `symmetry-sampled` (set). */
export type Assumed =
  | { readonly code: 'check-off'; readonly check: string }
  | { readonly code: 'pruned'; readonly steps: Count }
  | { readonly code: 'within'; readonly properties: readonly string[]; readonly states: Count }
  | { readonly code: 'preemptions'; readonly bound: Count }
  | { readonly code: 'endless-spin'; readonly actors: readonly string[] }
  | { readonly code: 'symmetry-sampled'; readonly set: string }

/** The report of one search. Fields may be added within version 1; none is removed, and none changes its meaning. */
export interface Report {
  /** The version of this form. */
  readonly schema: 'vmcheck.report/1'
  /** The model that was explored. */
  readonly model: {
    readonly name: string
    readonly file: string
    readonly title: string
    readonly scenario: string | null
    readonly params: Readonly<Record<string, unknown>>
    readonly digest: string
  }
  /** The verdict of the search. */
  readonly verdict: Verdict
  /** Whether every interleaving was explored. */
  readonly exhaustive: boolean
  /** Assumptions of a pass, in words. */
  readonly assumptions: readonly string[]
  /** The same for scripts, in the same order. */
  readonly assumed?: readonly Assumed[]
  /** Notes about the search. */
  readonly notes: readonly string[]
  /** The violations found, the first one first. */
  readonly violations: readonly Violation[]
  /** The machine's state at the start, struct by struct, where there are violations. */
  readonly machine?: readonly MachineObject[]
  /** The model's text where violations' traces pass through it. */
  readonly sources?: readonly SourceExcerpt[]
  /** Command lines that show the same again. */
  readonly commands?: readonly string[]
  /** The machine's actors. */
  readonly actors: readonly {
    readonly id: Count
    readonly name: string
    readonly cpu: Count
    readonly kind: 'thread' | 'handler'
  }[]
  /** Why the search ended early; null where it did not. */
  readonly inconclusive: { readonly reason: StopReason; readonly frontier: Count } | null
  /** Code of the model that was never reached. */
  readonly unreached: readonly Unreached[]
  /** Counts and times of the search. */
  readonly stats: {
    readonly strategy: string
    readonly reduction: readonly string[]
    readonly granularity: string
    readonly semantics: Count
    readonly workers: Count
    readonly states: Count
    readonly transitions: Count
    readonly executions: Count
    readonly depth: Count
    readonly endStates: Count
    readonly seconds: Amount
    readonly bytesPerState: Amount
    readonly memoryBytes: Count
  }
  /** With --profile. */
  readonly profile?: SearchProfile
  /** Of a free run. */
  readonly live?: LiveStatistics
  /** The tool that made the report. */
  readonly tool: { readonly name: 'vmcheck'; readonly version: string }
}

/** Changes whenever the counts of a model may change. */
export const SEMANTICS = 2

/** The report to be shown where there is room for one: the first with a violation, else the first. */
export function mostTelling(reports: readonly Report[]): Report {
  return reports.find(({ violations }) => violations.length > 0) ?? (reports[0] as Report)
}
