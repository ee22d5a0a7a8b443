import type { Violation } from '../trace/violation.ts'
import type { Report } from './report.ts'

/** A saved report that cannot be read: what is wrong and where. */
export class DamagedReport extends Error {
  override readonly name = 'DamagedReport'
}

/** What a value is to be, by the words that messages use. */
const SHAPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  'a text': (value) => typeof value === 'string',
  'a number': (value) => Number.isInteger(value) && (value as number) >= 0,
  'a list': Array.isArray,
  'an object': (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'true or false': (value) => typeof value === 'boolean',
}

/** Fields of an object, and what they are to be. */
type Fields = Readonly<Record<string, keyof typeof SHAPES>>

const REPORT: Fields = { schema: 'a text', model: 'an object', verdict: 'a text', violations: 'a list', actors: 'a list', stats: 'an object' }
const MODEL: Fields = { file: 'a text', params: 'an object', digest: 'a text' }
const VIOLATION: Fields = { kind: 'a text', property: 'a text', message: 'a text', stuck: 'a list', schedule: 'a list', steps: 'a list', waiting: 'a list' }
const SCHEDULED: Fields = { actor: 'a number', choices: 'a list' }
const STEP: Fields = { actor: 'a number', why: 'a text', because: 'a text', events: 'a list', changes: 'a list' }
const EVENT: Fields = { operation: 'a text', target: 'a text', detail: 'a text' }
const CHANGE: Fields = { field: 'a text' }
const WAITING: Fields = { actor: 'a number', operation: 'a text', target: 'a text', heldBy: 'a list' }
const ACCESS: Fields = { actor: 'a number', access: 'a text', field: 'a text' }

/**
 * Reads a saved report, or several.
 * @throws DamagedReport with the place of the damage
 */
export function readReports(text: string): Report[] {
  const value = parse(text)
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw new DamagedReport('it is an empty list of reports')
  return list.map((report, i) => checkReport(report, Array.isArray(value) ? `[${i}]` : ''))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const { message } = error as Error
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? text.length)
    const before = text.slice(0, position).split('\n')
    throw new DamagedReport(`it is no JSON from line ${before.length}, column ${(before.at(-1) as string).length + 1} on${text.trim() === '' ? ': it is empty' : ''}`)
  }
}

function checkReport(value: unknown, at: string): Report {
  check(value, REPORT, at)
  const report = value as Report
  if (report.schema !== 'vmcheck.report/1') throw new DamagedReport(`its schema is "${String(report.schema)}", and this version reads vmcheck.report/1`)
  check(report.model, MODEL, `${at}.model`)
  each(report.violations, `${at}.violations`, (violation, place) => checkViolation(violation as Violation, place, report.actors.length))
  return report
}

function checkViolation(violation: Violation, at: string, actors: number): void {
  check(violation, VIOLATION, at)
  const known = (place: string) => (value: { actor: number }): void => {
    if (value.actor >= actors) throw new DamagedReport(`${place}.actor is ${value.actor}, and there are ${actors} actors`)
  }
  each(violation.schedule, `${at}.schedule`, (step, place) => {
    check(step, SCHEDULED, place)
    known(place)(step as never)
    each((step as { choices: unknown[] }).choices, `${place}.choices`, (choice, where) => shape(choice, 'a number', where))
  })
  each(violation.steps, `${at}.steps`, (step, place) => {
    check(step, STEP, place)
    each((step as { events: unknown[] }).events, `${place}.events`, (event, where) => check(event, EVENT, where))
    each((step as { changes: unknown[] }).changes, `${place}.changes`, (change, where) => check(change, CHANGE, where))
  })
  if (violation.steps.length !== violation.schedule.length) throw new DamagedReport(`${at}.steps has ${violation.steps.length} steps, and its schedule has ${violation.schedule.length}`)
  each(violation.waiting, `${at}.waiting`, (wait, place) => {
    check(wait, WAITING, place)
    known(place)(wait as never)
  })
  each(violation.accesses ?? [], `${at}.accesses`, (access, place) => {
    check(access, ACCESS, place)
    known(place)(access as never)
  })
}

function each(list: readonly unknown[], at: string, body: (value: unknown, at: string) => void): void {
  shape(list, 'a list', at)
  list.forEach((value, i) => body(value, `${at}[${i}]`))
}

function check(value: unknown, fields: Fields, at: string): void {
  shape(value, 'an object', at)
  for (const [field, what] of Object.entries(fields)) shape((value as Record<string, unknown>)[field], what, `${at}.${field}`)
}

function shape(value: unknown, what: keyof typeof SHAPES, at: string): void {
  if (!SHAPES[what]?.(value)) throw new DamagedReport(`${at === '' ? 'it' : at.replace(/^\./, '')} ${value === undefined ? 'is missing' : `is ${JSON.stringify(value)?.slice(0, 40)}`}, and should be ${what}`)
}
