import { count } from '../report/numbers.ts'
import { type Report, SEMANTICS } from '../report/report.ts'
import { type GateCase, type GateResult, caseName, type Drift } from './gate-result.ts'

/** What is recorded of a scenario. */
export interface Recorded {
  readonly verdict: string
  readonly property?: string
  readonly states: number
  readonly transitions: number
  readonly depth: number
  /** Steps of the trace. */
  readonly steps?: number
  /** What else is found, as `KIND: PROPERTY`, where the search keeps going. */
  readonly also?: readonly string[]
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

/**
 * Reads a baseline.
 * @throws BaselineError when it is damaged
 */
export function readBaseline(text: string): Baseline {
  let value: Partial<Baseline> | null
  try {
    value = JSON.parse(text) as Partial<Baseline> | null
  } catch (error) {
    throw new BaselineError(`not valid JSON: ${(error as Error).message}`)
  }
  if (
    typeof value !== 'object' ||
    value?.schema !== 'vmcheck.baseline/1' ||
    typeof value.models !== 'object' ||
    value.models === null
  )
    throw new BaselineError('it is not a vmcheck.baseline/1 file')
  if (!Number.isInteger(value.semantics) || (value.semantics as number) < 1)
    throw new BaselineError('its number of semantics is damaged')
  for (const [file, scenarios] of Object.entries(value.models)) {
    if (typeof scenarios !== 'object' || scenarios === null)
      throw new BaselineError(`what it records of ${file} is damaged`)
    for (const [scenario, recorded] of Object.entries(scenarios))
      if (!isRecorded(recorded)) throw new BaselineError(`what it records of ${file} ${scenario} is damaged`)
  }
  return value as Baseline
}

function isRecorded(value: Partial<Recorded> | null): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { verdict, property, steps, also, ...counts } = value
  const isCount = (count: unknown): boolean => Number.isInteger(count) && (count as number) >= 0
  const hasCounts =
    [counts.states, counts.transitions, counts.depth].every(isCount) && (steps === undefined || isCount(steps))
  const hasTexts =
    typeof verdict === 'string' &&
    (property === undefined || typeof property === 'string') &&
    (also === undefined || (Array.isArray(also) && also.every((one) => typeof one === 'string')))
  return hasCounts && hasTexts
}

/** Whether states were counted otherwise when a baseline was recorded: then its counts and lengths of traces mean something else. */
function countsOtherwise({ semantics }: Baseline): boolean {
  return semantics !== SEMANTICS
}

/** What is to be said of a comparison with a baseline; nothing where all was compared. */
export function notesOn(baseline: Baseline): string[] {
  return countsOtherwise(baseline)
    ? [
        `the baseline's counts are of semantics ${baseline.semantics}, those of this version are of ${SEMANTICS}: only verdicts were compared; record it again with vmcheck gate --update`,
      ]
    : []
}

/** The name that a scenario is recorded under: its own, or one that it had. */
function recordedName(
  { models }: Pick<Baseline, 'models'>,
  { file, scenario, formerly = [] }: GateCase,
): string | null {
  const scenarios = Object.hasOwn(models, file) ? models[file] : undefined
  return [scenario, ...formerly].find((one) => scenarios && Object.hasOwn(scenarios, one)) ?? null
}

/** What is recorded of a scenario. */
function recordedOf(baseline: Pick<Baseline, 'models'>, one: GateCase): Recorded | undefined {
  const name = recordedName(baseline, one)
  return name === null ? undefined : baseline.models[one.file]?.[name]
}

/** Whether a scenario is recorded otherwise in one baseline than in another; null: there is none. */
export function isRecordedAnew(one: Baseline | null, other: Baseline | null, of: GateCase): boolean {
  const texts = [one, other].map((baseline) => JSON.stringify(baseline && recordedOf(baseline, of)))
  return texts[0] !== texts[1]
}

/**
 * How results differ from the baseline. Scenarios that were not run, and results that are inconclusive, are not compared.
 *
 * @param skipped scenarios that the configuration leaves out
 * @param isWhole whether what is recorded and was not run no longer exists
 */
export function drifts(
  baseline: Baseline,
  results: readonly GateResult[],
  skipped: readonly GateCase[],
  isWhole: boolean,
): Drift[] {
  const found = results.flatMap((result): Drift[] => {
    if (!result.report || result.status === 'inconclusive') return []
    const before = recordedOf(baseline, result)
    const changes = before
      ? compare(before, recordOf(result.report), !countsOtherwise(baseline))
      : ['is not recorded yet']
    return changes.length > 0 ? [{ file: result.file, scenario: result.scenario, changes }] : []
  })
  if (!isWhole) return found
  const known = new Set(
    [...results, ...skipped].map((one) => caseName({ ...one, scenario: recordedName(baseline, one) ?? one.scenario })),
  )
  const broken = new Set(results.filter(({ scenario }) => scenario === '').map(({ file }) => file))
  const recorded = Object.entries(baseline.models).flatMap(([file, scenarios]) =>
    Object.keys(scenarios).map((scenario) => ({ file, scenario })),
  )
  return [
    ...found,
    ...recorded
      .filter((one) => !known.has(caseName(one)) && !broken.has(one.file))
      .map((one) => ({ ...one, changes: ['recorded in the baseline, but no longer exists'] })),
  ]
}

/** The baseline with new results in it; scenarios that were left out or have no conclusive result keep their record. */
export function updated(
  before: Baseline | null,
  results: readonly GateResult[],
  skipped: readonly GateCase[],
  isWhole: boolean,
): Baseline {
  const broken = new Set(results.filter(({ scenario }) => scenario === '').map(({ file }) => file))
  const models = new Map<string, Map<string, Recorded>>()
  for (const [file, scenarios] of Object.entries(before?.models ?? {}))
    if (!isWhole || broken.has(file)) models.set(file, new Map(Object.entries(scenarios)))
  for (const result of [...results, ...skipped.map((one) => ({ ...one, report: null }))]) {
    const { file, scenario, report, formerly = [] } = result
    const recorded = report && report.inconclusive === null ? recordOf(report) : before && recordedOf(before, result)
    const ofModel = models.get(file) ?? new Map<string, Recorded>()
    for (const name of formerly) ofModel.delete(name)
    if (recorded) models.set(file, ofModel.set(scenario, recorded))
  }
  const sorted = [...models]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, scenarios]) => [file, Object.fromEntries(scenarios)] as const)
  return { schema: 'vmcheck.baseline/1', semantics: SEMANTICS, models: Object.fromEntries(sorted) }
}

function recordOf({ verdict, violations, stats }: Report): Recorded {
  const [first, ...others] = violations
  return {
    verdict: first?.kind ?? verdict,
    ...(first && { property: first.property }),
    states: stats.states,
    transitions: stats.transitions,
    depth: stats.depth,
    ...(first && { steps: first.schedule.length }),
    ...(others.length > 0 && { also: others.map(({ kind, property }) => `${kind}: ${property}`).toSorted() }),
  }
}

function compare(before: Recorded, now: Recorded, withCounts: boolean): string[] {
  const changes: string[] = []
  if (before.verdict !== now.verdict) {
    const what =
      now.verdict === 'pass' ? ': the violation is gone' : before.verdict === 'pass' ? ': it passed before' : ''
    changes.push(`verdict ${before.verdict} → ${now.verdict}${what}`)
  } else if (before.property !== now.property) changes.push(`property “${before.property}” → “${now.property}”`)
  for (const gone of (before.also ?? []).filter((one) => !now.also?.includes(one)))
    changes.push(`${gone} is not found any more`)
  for (const found of (now.also ?? []).filter((one) => !before.also?.includes(one)))
    changes.push(`${found} is found, too`)
  if (!withCounts) return changes
  for (const what of ['states', 'transitions', 'depth'] as const)
    if (before[what] !== now[what])
      changes.push(`${what} ${count(before[what])} → ${count(now[what])}${factor(before[what], now[what])}`)
  if (before.steps !== undefined && now.steps !== undefined && before.steps !== now.steps)
    changes.push(`trace ${before.steps} → ${now.steps} steps`)
  return changes
}

function factor(before: number, now: number): string {
  const ratio = now / before
  if (!Number.isFinite(ratio) || (ratio < 1.5 && ratio > 1 / 1.5)) return ''
  return ratio > 1 ? ` (${ratio.toFixed(1)} times as many)` : ` (${(1 / ratio).toFixed(1)} times fewer)`
}
