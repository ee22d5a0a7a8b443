import { type Expectation, type KnownViolation, type Scenario, expectedVerdict, kindOf } from '../model/model.ts'
import { describeAssumed } from '../report/assumptions.ts'
import { count, plural } from '../report/numbers.ts'
import type { Report } from '../report/report.ts'
import { cutShort, outcome } from '../report/wording.ts'

/** How a scenario came out. */
export type ScenarioStatus = 'as expected' | 'differs' | 'inconclusive' | 'unchanged' | 'broken'

/** What a report comes to beside what is expected of its scenario. */
export interface Comparison {
  readonly status: ScenarioStatus
  /** What differs, in one clause each. */
  readonly differences: readonly string[]
}

type Found = Report['violations'][number]

/**
 * Holds a report against what its scenario expects.
 *
 * @param hasCounts whether the search was the one that expected counts are about
 * @returns with the violation that is worth a look: the first that no one expects, else the first
 */
export function judge(
  report: Report,
  scenario: Scenario<never>,
  hasCounts: boolean,
): Comparison & { readonly culprit: Found | undefined } {
  const { wanted, missing, surplus } = compare(report, scenario)
  const culprit = surplus[0] ?? report.violations[0]
  // what is found is found; what is not may only not have been met before the search was ended
  const isCut =
    report.inconclusive !== null && surplus.length === 0 && (report.verdict !== 'violation' || keepsGoing(scenario))
  if (isCut)
    return {
      status: 'inconclusive',
      differences: [
        `expected ${describe(scenario.expect)}; ${report.verdict === 'violation' ? cutShort(report) : outcome(report)}`,
      ],
      culprit,
    }
  const differences = [
    ...(missing.length + surplus.length > 0 ? [verdictDifference(report, wanted, surplus)] : []),
    ...(hasCounts ? countDifferences(report, scenario.expect) : []),
    ...unstatedAssumptions(report, scenario),
  ]
  return { status: differences.length > 0 ? 'differs' : 'as expected', differences, culprit }
}

/** Whether a scenario has to be searched on beyond its first violation. */
export function keepsGoing({ finds = [], allows = [] }: Scenario<never>): boolean {
  return finds.length + allows.length > 0
}

/** What is expected, in words: `deadlock of “no deadlock”`. */
export function describe(expect: Expectation): string {
  const property = typeof expect === 'string' ? undefined : expect.property
  return `${expectedVerdict(expect)}${property === undefined ? '' : ` of “${property}”`}`
}

/** What is expected and not found, and found and not expected. What is said most exactly is matched first, each with one violation. */
function compare(
  { violations }: Report,
  { expect, finds = [], allows = [] }: Scenario<never>,
): {
  readonly wanted: readonly KnownViolation[]
  readonly missing: readonly KnownViolation[]
  readonly surplus: readonly Found[]
} {
  const first = expectedViolation(expect)
  const wanted = [...(first ? [first] : []), ...finds]
  const left = [...violations]
  const missing = wanted
    .toSorted((a, b) => Number(isExact(b)) - Number(isExact(a)))
    .filter((known) => {
      const at = left.findIndex((found) => fits(found, known))
      if (at >= 0) left.splice(at, 1)
      return at < 0
    })
  return { wanted, missing, surplus: left.filter((found) => !allows.some((known) => fits(found, known))) }
}

function isExact(known: KnownViolation): boolean {
  return typeof known !== 'string' && known.property !== undefined
}

function verdictDifference(
  { violations }: Report,
  wanted: readonly KnownViolation[],
  surplus: readonly Found[],
): string {
  const expected = wanted.length === 0 ? 'pass' : wanted.map(name).join(' and ')
  const found =
    violations.length === 0
      ? 'pass: nothing is wrong any more'
      : (surplus.length > 0 ? surplus : violations).map(({ kind, message }) => `${kind}: ${message}`).join('; ')
  return `expected ${expected}, found ${found}`
}

/** The violation that is expected; null: a pass is. */
function expectedViolation(expect: Expectation): KnownViolation | null {
  const verdict = expectedVerdict(expect)
  if (verdict === 'pass') return null
  return typeof expect === 'string' || expect.property === undefined
    ? verdict
    : { kind: verdict, property: expect.property }
}

/** Whether the first violation, or none, is what is expected first. */
export function isExpected({ violations: [first] }: Report, expect: Expectation): boolean {
  const wanted = expectedViolation(expect)
  return wanted === null || first === undefined ? wanted === null && first === undefined : fits(first, wanted)
}

function fits({ kind, property }: Found, known: KnownViolation): boolean {
  return (
    kind === kindOf(known) && (typeof known === 'string' || known.property === undefined || known.property === property)
  )
}

function name(known: KnownViolation): string {
  return typeof known === 'string' || known.property === undefined
    ? kindOf(known)
    : `${known.kind} of “${known.property}”`
}

function countDifferences({ stats }: Report, expect: Expectation): string[] {
  if (typeof expect === 'string') return []
  return (['states', 'transitions', 'depth'] as const).flatMap((what) => {
    const wanted = expect[what]
    return wanted === undefined || wanted === stats[what]
      ? []
      : [
          `expected ${what === 'depth' ? `depth ${count(wanted)}` : plural(wanted, what.slice(0, -1))}, found ${count(stats[what])}`,
        ]
  })
}

/** A pass that assumes what its scenario does not say. */
function unstatedAssumptions({ verdict, assumed = [] }: Report, { checks }: Scenario<never>): string[] {
  if (verdict !== 'pass') return []
  return assumed
    .filter(({ code }) => code === 'preemptions' || ((code === 'check-off' || code === 'pruned') && !checks))
    .map((one) => `passes only under an assumption that the scenario does not state: ${describeAssumed(one)}`)
}
