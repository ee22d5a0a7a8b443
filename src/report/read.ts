import { VIOLATION_KINDS } from '../model/verdict.ts'
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
  'a measure': (value) => typeof value === 'number' && value >= 0,
  'a text or null': (value) => value === null || typeof value === 'string',
  'a list': Array.isArray,
  'an object': (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'true or false': (value) => typeof value === 'boolean',
}

/** Fields of an object, and what they are to be. */
type Fields = Readonly<Record<string, keyof typeof SHAPES>>

const REPORT: Fields = {
  schema: 'a text',
  model: 'an object',
  verdict: 'a text',
  exhaustive: 'true or false',
  assumptions: 'a list',
  notes: 'a list',
  violations: 'a list',
  actors: 'a list',
  unreached: 'a list',
  stats: 'an object',
  tool: 'an object',
}
const MODEL: Fields = {
  name: 'a text',
  file: 'a text',
  title: 'a text',
  scenario: 'a text or null',
  params: 'an object',
  digest: 'a text',
}
const STATS: Fields = {
  strategy: 'a text',
  reduction: 'a list',
  granularity: 'a text',
  semantics: 'a number',
  workers: 'a number',
  states: 'a number',
  transitions: 'a number',
  executions: 'a number',
  depth: 'a number',
  endStates: 'a number',
  seconds: 'a measure',
  bytesPerState: 'a measure',
  memoryBytes: 'a number',
}
const TOOL: Fields = { name: 'a text', version: 'a text' }
const ACTOR: Fields = { id: 'a number', name: 'a text', cpu: 'a number', kind: 'a text' }
const UNREACHED: Fields = { what: 'a text', at: 'an object' }
const INCONCLUSIVE: Fields = { reason: 'a text', frontier: 'a number' }
const OBJECT: Fields = { name: 'a text', type: 'a text', fields: 'a list' }
const FIELD: Fields = { field: 'a text', name: 'a text', type: 'a text' }
const SOURCE: Fields = { file: 'a text', line: 'a number', lines: 'a list' }
const PREEMPTION: Fields = {
  step: 'a number',
  actor: 'a number',
  within: 'a text or null',
  verdict: 'a text',
  scope: 'a text',
  states: 'a number',
}
const PLACE: Fields = { file: 'a text', line: 'a number', column: 'a number' }
const VIOLATION: Fields = {
  kind: 'a text',
  property: 'a text',
  message: 'a text',
  stuck: 'a list',
  schedule: 'a list',
  steps: 'a list',
  waiting: 'a list',
}
const SCHEDULED: Fields = { actor: 'a number', choices: 'a list' }
const STEP: Fields = { actor: 'a number', why: 'a text', because: 'a text', events: 'a list', changes: 'a list' }
const EVENT: Fields = { operation: 'a text', target: 'a text', detail: 'a text', function: 'a list' }
const CHANGE: Fields = { field: 'a text' }
const WAITING: Fields = { actor: 'a number', operation: 'a text', target: 'a text', heldBy: 'a list' }
const ACCESS: Fields = { actor: 'a number', access: 'a text', field: 'a text', function: 'a list' }

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
    // without a position it is the first character that is wrong, or the end that is missing
    const position = Number(
      /position (\d+)/.exec(message)?.[1] ?? (/end of JSON/.test(message) ? text.length : text.search(/\S|$/)),
    )
    const before = text.slice(0, position).split('\n')
    throw new DamagedReport(
      text.trim() === ''
        ? 'not valid JSON: the file is empty'
        : `not valid JSON: syntax error at line ${before.length}, column ${(before.at(-1) as string).length + 1}`,
    )
  }
}

function checkReport(value: unknown, at: string): Report {
  check(value, REPORT, at)
  const report = value as Report
  if (report.schema !== 'vmcheck.report/1')
    throw new DamagedReport(`its schema is "${String(report.schema)}", and this version reads vmcheck.report/1`)
  check(report.model, MODEL, `${at}.model`)
  check(report.stats, STATS, `${at}.stats`)
  check(report.tool, TOOL, `${at}.tool`)
  each(report.actors, `${at}.actors`, (actor, place) => check(actor, ACTOR, place))
  each(report.unreached, `${at}.unreached`, (code, place) => {
    check(code, UNREACHED, place)
    check((code as { at: unknown }).at, PLACE, `${place}.at`)
  })
  if (!['pass', 'violation', 'inconclusive'].includes(report.verdict))
    throw new DamagedReport(
      `${at}.verdict is "${report.verdict}", and should be pass, violation or inconclusive`.replace(/^\./, ''),
    )
  if (report.inconclusive) check(report.inconclusive, INCONCLUSIVE, `${at}.inconclusive`)
  for (const [i, note] of report.notes.entries()) shape(note, 'a text', `${at}.notes[${i}]`)
  for (const [i, assumption] of report.assumptions.entries()) shape(assumption, 'a text', `${at}.assumptions[${i}]`)
  each(optional(report.machine), `${at}.machine`, (object, place) => {
    check(object, OBJECT, place)
    each((object as { fields: unknown[] }).fields, `${place}.fields`, (field, where) => check(field, FIELD, where))
  })
  each(optional(report.sources), `${at}.sources`, (source, place) => check(source, SOURCE, place))
  each(optional(report.commands), `${at}.commands`, (command, place) => shape(command, 'a text', place))
  each(report.violations, `${at}.violations`, (violation, place) =>
    checkViolation(violation as Violation, place, report.actors.length),
  )
  return report
}

function checkViolation(violation: Violation, at: string, actors: number): void {
  check(violation, VIOLATION, at)
  if (!VIOLATION_KINDS.includes(violation.kind))
    throw new DamagedReport(
      `${at.replace(/^\./, '')}.kind is "${violation.kind}", and should be one of ${VIOLATION_KINDS.join(', ')}`,
    )
  const known =
    (place: string) =>
    (value: { actor: number }): void => {
      if (!(value.actor < actors))
        throw new DamagedReport(`${place}.actor is ${value.actor}, and there are ${actors} actors`)
    }
  each(violation.schedule, `${at}.schedule`, (step, place) => {
    check(step, SCHEDULED, place)
    known(place)(step as never)
    each((step as { choices: unknown[] }).choices, `${place}.choices`, (choice, where) =>
      shape(choice, 'a number', where),
    )
  })
  each(violation.steps, `${at}.steps`, (step, place) => {
    check(step, STEP, place)
    const { events, changes, inside, waits } = step as Violation['steps'][number]
    known(place)(step as never)
    each(events, `${place}.events`, (event, where) => {
      check(event, EVENT, where)
      checkPlace(event, where)
    })
    each(changes, `${place}.changes`, (change, where) => check(change, CHANGE, where))
    each(optional(inside), `${place}.inside`, (change, where) => check(change, CHANGE, where))
    each(optional(waits), `${place}.waits`, (wait, where) => {
      check(wait, WAITING, where)
      known(where)(wait as never)
    })
  })
  if (violation.steps.length !== violation.schedule.length)
    throw new DamagedReport(
      `${at}.steps has ${violation.steps.length} steps, and its schedule has ${violation.schedule.length}`,
    )
  each(violation.waiting, `${at}.waiting`, (wait, place) => {
    check(wait, WAITING, place)
    known(place)(wait as never)
    checkPlace(wait, place)
    for (const actor of (wait as { heldBy: number[] }).heldBy) known(`${place}.heldBy`)({ actor })
  })
  each(optional(violation.preemptions), `${at}.preemptions`, (preemption, place) => {
    check(preemption, PREEMPTION, place)
    known(place)(preemption as never)
    checkPlace(preemption, place)
  })
  each(optional(violation.accesses), `${at}.accesses`, (access, place) => {
    check(access, ACCESS, place)
    known(place)(access as never)
    checkPlace(access, place)
  })
}

/** A place in the source, null where none is known. */
function checkPlace(value: unknown, at: string): void {
  const { at: place } = value as { at?: unknown }
  if (place !== null) check(place, PLACE, `${at}.at`)
}

/** A list that may be left out, as reports of earlier releases do. */
function optional(list: readonly unknown[] | undefined): readonly unknown[] {
  return list === undefined ? [] : list
}

function each(list: readonly unknown[], at: string, body: (value: unknown, at: string) => void): void {
  shape(list, 'a list', at)
  list.forEach((value, i) => body(value, `${at}[${i}]`))
}

function check(value: unknown, fields: Fields, at: string): void {
  shape(value, 'an object', at)
  for (const [field, what] of Object.entries(fields))
    shape((value as Record<string, unknown>)[field], what, `${at}.${field}`)
}

function shape(value: unknown, what: keyof typeof SHAPES, at: string): void {
  if (!SHAPES[what]?.(value))
    throw new DamagedReport(
      `${at === '' ? 'it' : at.replace(/^\./, '')} ${value === undefined ? 'is missing' : `is ${JSON.stringify(value)?.slice(0, 40)}`}, and should be ${what}`,
    )
}
