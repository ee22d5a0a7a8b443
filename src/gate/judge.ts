import { type Expectation, type KnownViolation, type Scenario, expectedVerdict, kindOf } from '../model/model.ts'
import { count, plural } from '../report/numbers.ts'
import type { Report } from '../report/report.ts'
import { outcome } from '../report/wording.ts'

/** How a scenario came out. */
export type Standing = 'as expected' | 'differs' | 'inconclusive' | 'unchanged' | 'broken'

/** What a report comes to beside what is expected of its scenario. */
export interface Judgement {
  readonly standing: Standing
  /** What differs, in one clause each. */
  readonly differences: readonly string[]
}

type Found = Report['violations'][number]

/**
 * Holds a report against what its scenario expects.
 *
 * @param hasCounts whether the search was the one that expected counts are about
 */
export function judge(report: Report, scenario: Scenario<never>, hasCounts: boolean): Judgement {
  if (report.verdict === 'inconclusive') return { standing: 'inconclusive', differences: [`expected ${describe(scenario.expect)}, found nothing conclusive: ${outcome(report)}`] }
  const differences = [...verdictDifferences(report, scenario), ...(hasCounts ? countDifferences(report, scenario.expect) : []), ...unstatedAssumptions(report, scenario)]
  return { standing: differences.length > 0 ? 'differs' : 'as expected', differences }
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

function verdictDifferences({ violations }: Report, { expect, finds = [], allows = [] }: Scenario<never>): string[] {
  const verdict = expectedVerdict(expect)
  const first: KnownViolation[] = verdict === 'pass' ? [] : [typeof expect === 'string' || expect.property === undefined ? verdict : { kind: verdict, property: expect.property }]
  const wanted = [...first, ...finds]
  const missing = wanted.filter((known) => !violations.some((found) => fits(found, known)))
  const surplus = violations.filter((found) => ![...wanted, ...allows].some((known) => fits(found, known)))
  const expected = wanted.length === 0 ? 'pass' : wanted.map(name).join(' and ')
  if (missing.length === 0 && surplus.length === 0) return []
  const found = violations.length === 0 ? 'pass: nothing is wrong any more' : (surplus.length > 0 ? surplus : violations).map(({ kind, message }) => `${kind}: ${message}`).join('; ')
  return [`expected ${expected}, found ${found}`]
}

function fits({ kind, property }: Found, known: KnownViolation): boolean {
  return kind === kindOf(known) && (typeof known === 'string' || known.property === undefined || known.property === property)
}

function name(known: KnownViolation): string {
  return typeof known === 'string' || known.property === undefined ? kindOf(known) : `${known.kind} of “${known.property}”`
}

function countDifferences({ stats }: Report, expect: Expectation): string[] {
  if (typeof expect === 'string') return []
  return (['states', 'transitions', 'depth'] as const).flatMap((what) => {
    const wanted = expect[what]
    return wanted === undefined || wanted === stats[what] ? [] : [`expected ${what === 'depth' ? `depth ${count(wanted)}` : plural(wanted, what.slice(0, -1))}, found ${count(stats[what])}`]
  })
}

/** A pass that assumes what its scenario does not say. */
function unstatedAssumptions({ verdict, assumptions }: Report, { checks }: Scenario<never>): string[] {
  if (verdict !== 'pass') return []
  return assumptions
    .filter((assumption) => !(checks && (assumption.endsWith(' check off') || assumption.includes('a check that is off'))))
    .map((assumption) => `passes only under an assumption that the scenario does not state: ${assumption}`)
}
