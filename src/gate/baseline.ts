import { count } from '../report/numbers.ts'
import { type Report, SEMANTICS } from '../report/report.ts'
import { type GateCase, type GateResult, caseName } from './gate-result.ts'

/** What is recorded of a scenario. */
export interface Recorded {
  readonly verdict: string
  readonly property?: string
  readonly states: number
  readonly transitions: number
  readonly depth: number
  /** Steps of the trace. */
  readonly steps?: number
}

/** A file of recorded results, by model file and scenario. */
export interface Baseline {
  readonly schema: 'vmcheck.baseline/1'
  readonly semantics: number
  readonly models: Readonly<Record<string, Readonly<Record<string, Recorded>>>>
}

/** A baseline that cannot be compared with. */
export class BaselineError extends Error {
  override readonly name = 'BaselineError'
}

/** How a scenario's result differs from what is recorded. */
export interface Drift extends GateCase {
  /** One clause each, such as `states 1,544 → 3,088 (2.0 times as many)`. */
  readonly changes: readonly string[]
}

/**
 * Reads a baseline.
 * @throws BaselineError when it is damaged, or its counts mean something else
 */
export function readBaseline(text: string): Baseline {
  let value: Partial<Baseline> | null
  try {
    value = JSON.parse(text) as Partial<Baseline> | null
  } catch (error) {
    throw new BaselineError(`it is no JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value?.schema !== 'vmcheck.baseline/1' || typeof value.models !== 'object' || value.models === null) throw new BaselineError('it is not a vmcheck.baseline/1 file')
  if (value.semantics !== SEMANTICS) throw new BaselineError(`its counts are of semantics ${value.semantics}, those of this version are of ${SEMANTICS}: record it anew with vmcheck gate --update`)
  for (const [file, scenarios] of Object.entries(value.models)) {
    for (const [scenario, recorded] of Object.entries(scenarios)) {
      if (typeof recorded?.verdict !== 'string' || !Number.isInteger(recorded.states)) throw new BaselineError(`what it records of ${file} ${scenario} is damaged`)
    }
  }
  return value as Baseline
}

/** How results differ from the baseline. Scenarios that were not run, and results that are inconclusive, are not compared. */
export function drifts(baseline: Baseline, results: readonly GateResult[], isWhole: boolean): Drift[] {
  const found = results.flatMap((result): Drift[] => {
    if (!result.report || result.standing === 'inconclusive') return []
    const before = baseline.models[result.file]?.[result.scenario]
    const changes = before ? compare(before, recordOf(result.report)) : ['is not recorded yet']
    return changes.length > 0 ? [{ file: result.file, scenario: result.scenario, changes }] : []
  })
  if (!isWhole) return found
  const known = new Set(results.map(caseName))
  const recorded = Object.entries(baseline.models).flatMap(([file, scenarios]) => Object.keys(scenarios).map((scenario) => ({ file, scenario })))
  return [...found, ...recorded.filter((one) => !known.has(caseName(one))).map((one) => ({ ...one, changes: ['is recorded, and there no more'] }))]
}

/** The baseline with new results in it; of scenarios without a conclusive one what was there before is kept. */
export function updated(before: Baseline | null, results: readonly GateResult[], isWhole: boolean): Baseline {
  const models: Record<string, Record<string, Recorded>> = isWhole ? {} : structuredClone((before?.models ?? {}) as Record<string, Record<string, Recorded>>)
  for (const { file, scenario, report } of results) {
    const recorded = report && report.verdict !== 'inconclusive' ? recordOf(report) : before?.models[file]?.[scenario]
    if (recorded) (models[file] ??= {})[scenario] = recorded
  }
  const sorted = Object.entries(models).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { schema: 'vmcheck.baseline/1', semantics: SEMANTICS, models: Object.fromEntries(sorted) }
}

function recordOf({ verdict, violations, stats }: Report): Recorded {
  const [first] = violations
  return {
    verdict: first?.kind ?? verdict,
    ...(first && { property: first.property }),
    states: stats.states,
    transitions: stats.transitions,
    depth: stats.depth,
    ...(first && { steps: first.schedule.length }),
  }
}

function compare(before: Recorded, now: Recorded): string[] {
  const changes: string[] = []
  if (before.verdict !== now.verdict) {
    const what = now.verdict === 'pass' ? ': the violation is gone' : before.verdict === 'pass' ? ': it passed before' : ''
    changes.push(`verdict ${before.verdict} → ${now.verdict}${what}`)
  } else if (before.property !== now.property) changes.push(`property “${before.property}” → “${now.property}”`)
  for (const what of ['states', 'transitions', 'depth'] as const) if (before[what] !== now[what]) changes.push(`${what} ${count(before[what])} → ${count(now[what])}${factor(before[what], now[what])}`)
  if (before.steps !== undefined && now.steps !== undefined && before.steps !== now.steps) changes.push(`trace ${before.steps} → ${now.steps} steps`)
  return changes
}

function factor(before: number, now: number): string {
  const ratio = now / before
  if (!Number.isFinite(ratio) || (ratio < 1.5 && ratio > 1 / 1.5)) return ''
  return ratio > 1 ? ` (${ratio.toFixed(1)} times as many)` : ` (${(1 / ratio).toFixed(1)} times fewer)`
}
