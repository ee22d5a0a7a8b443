import { type Scenario, formerNames } from '../model/model.ts'
import type { Report } from '../report/report.ts'
import type { Comparison } from './judge.ts'

/** One scenario that the gate looks at. */
export interface GateCase {
  /** The model's path as shown. */
  readonly file: string
  /** Name of the scenario; empty for a model that does not load. */
  readonly scenario: string
  /** The names that it had. */
  readonly formerly?: readonly string[]
}

/** A scenario of a model's file as the gate looks at it. */
export function gateCase(file: string, scenario: string, about: Pick<Scenario<never>, 'formerly'>): GateCase {
  return { file, scenario, formerly: formerNames(about) }
}

/** The result of one scenario. */
export interface GateResult extends GateCase, Comparison {
  /** The expectation of its scenario; null if it has none. */
  readonly about: Pick<Scenario<never>, 'expect'> | null
  /** Null for a model that cannot be explored, and for one that was not. */
  readonly report: Report | null
  /** Seconds of the search; 0 for a result of an earlier run. */
  readonly seconds: number
  /** Taken from an earlier run. */
  readonly isKept: boolean
}

/** The difference between a scenario's result and its record in the baseline. */
export interface Drift extends GateCase {
  /** One clause each, such as `states 1,544 → 3,088 (2.0 times as many)`. */
  readonly changes: readonly string[]
}

/** Everything that a run of the gate came to. */
export interface GateSummary {
  /** Every scenario's result, in order. */
  readonly results: readonly GateResult[]
  /** Differences from the baseline. */
  readonly drifts: readonly Drift[]
  /** What else is to be said, one sentence each. */
  readonly notes: readonly string[]
  /** Seconds that it took. */
  readonly seconds: number
}

/** `models/wire.ts deadlock` */
export function caseName({ file, scenario }: GateCase): string {
  return scenario === '' ? file : `${file} ${scenario}`
}

/** Whether an interrupt kept it from being explored: such are counted, not listed. */
export function wasInterrupted({ status, report }: GateResult): boolean {
  return status === 'inconclusive' && report === null
}

/** What a result is called in tables: the kind of what was found, `pass`, ... */
export function foundIn({ report, status }: GateResult): string {
  if (!report) return status === 'unchanged' ? 'not run' : 'not explored'
  return report.verdict === 'violation'
    ? [...new Set(report.violations.map(({ kind }) => kind))].join(', ')
    : report.verdict
}

/** Exit status. If several apply: 2, else 1, else 3, else 0. */
export function exitStatusOf(results: readonly GateResult[], drifts: number): 0 | 1 | 2 | 3 {
  const has = (status: Comparison['status']): boolean => results.some((result) => result.status === status)
  return has('broken') ? 2 : has('differs') || drifts > 0 ? 1 : has('inconclusive') ? 3 : 0
}
