import { hostname } from 'node:os'
import { create } from 'xmlbuilder2'
import type { Report } from '../report.ts'
import { renderTerminal } from './terminal.ts'
import { outcome } from '../wording.ts'

/** One test case of a JUnit file. */
export interface JunitCase {
  /** What it belongs to: the model's file. */
  readonly suite: string
  readonly name: string
  readonly seconds: number
  /** What is wrong: a failure, or an error where nothing can be said; null: nothing. */
  readonly problem: {
    readonly form: 'failure' | 'error'
    readonly type: string
    readonly message: string
    readonly text: string
  } | null
}

/** Characters that no XML document may contain. */
const FORBIDDEN =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g

/** Width of the traces inside. */
const WIDTH = 100

/** Reports as JUnit XML: a violation is a failure, a search without an end an error of type `Inconclusive`. */
export function renderJunit(reports: readonly Report[], now: Date): string {
  return renderCases(reports.map(caseOf), now)
}

function caseOf(report: Report): JunitCase {
  const { model, verdict, stats, violations } = report
  const type = verdict === 'inconclusive' ? 'Inconclusive' : (violations[0]?.kind ?? '')
  return {
    suite: model.file,
    name: model.scenario ?? model.name,
    seconds: stats.seconds,
    problem:
      verdict === 'pass'
        ? null
        : {
            form: verdict === 'violation' ? 'failure' : 'error',
            type,
            message: outcome(report),
            text: plainText(report),
          },
  }
}

/** A report as it is printed, for a text without colours. */
export function plainText(report: Report): string {
  return renderTerminal(report, { width: WIDTH, colour: false })
}

/** Test cases as JUnit XML, one suite a model. */
export function renderCases(cases: readonly JunitCase[], now: Date): string {
  const root = create({ version: '1.0', encoding: 'UTF-8', invalidCharReplacement: '\uFFFD' }).ele('testsuites')
  const suites = [...new Set(cases.map(({ suite }) => suite))]
  suites.forEach((name, id) => {
    const mine = cases.filter(({ suite }) => suite === name)
    const count = (form: 'failure' | 'error'): number => mine.filter(({ problem }) => problem?.form === form).length
    const suite = root.ele('testsuite', {
      id,
      name: clean(name),
      package: 'vmcheck',
      hostname: clean(hostname()) || 'localhost',
      timestamp: now.toISOString().slice(0, 19),
      tests: mine.length,
      failures: count('failure'),
      errors: count('error'),
      time: seconds(mine.reduce((sum, one) => sum + one.seconds, 0)),
    })
    suite.ele('properties').ele('property', { name: 'tool', value: 'vmcheck' })
    for (const one of mine) {
      const element = suite.ele('testcase', {
        name: clean(one.name),
        classname: clean(name),
        time: seconds(one.seconds),
      })
      if (one.problem)
        element
          .ele(one.problem.form, { message: clean(one.problem.message), type: clean(one.problem.type) })
          .txt(clean(one.problem.text))
    }
    suite.ele('system-out')
    suite.ele('system-err')
  })
  return `${root.end({ prettyPrint: true })}\n`
}

function clean(text: string): string {
  return text.replace(FORBIDDEN, '\uFFFD')
}

function seconds(value: number): string {
  return value.toFixed(3)
}
