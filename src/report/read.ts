import { Ajv, type ErrorObject } from 'ajv'
import { reportSchema } from '../installation.ts'
import type { Report } from './report.ts'

/** A saved report that cannot be read: what is wrong and where. */
export class DamagedReport extends Error {
  override readonly name = 'DamagedReport'
}

/**
 * Reads a saved report, or several.
 * @throws DamagedReport with the place of the damage
 */
export function readReports(text: string): Report[] {
  const value = parse(text)
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw new DamagedReport('it is an empty list of reports')
  const check: ShapeCheck = shapeCheck()
  return list.map((report, i) => {
    const at = Array.isArray(value) ? `[${i}]` : ''
    check(report, at)
    checkVerdict(report, at)
    for (const [j, violation] of report.violations.entries())
      checkViolation(violation, `${at}.violations[${j}]`, report.actors.length)
    return report
  })
}

/** How deep values may be nested: a report's own are less than ten deep, a parameter's or field's value a few more. */
const MAX_DEPTH = 100

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    if (isDeep(value)) throw new DamagedReport(`values are nested more than ${MAX_DEPTH} deep`)
    return value
  } catch (error) {
    if (error instanceof DamagedReport) throw error
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

/** Whether a value is nested deeper than it may be; told level by level, for a recursion would overflow the stack. */
function isDeep(value: unknown): boolean {
  let level = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
  }
  return false
}

/** Throws DamagedReport for a value that is no report. */
type ShapeCheck = (value: unknown, at: string) => asserts value is Report

/** A check of one report against the published schema, which is derived from the type {@link Report}. */
function shapeCheck(): ShapeCheck {
  // `verbose` keeps the wrong value with its error; a schema that is not checked itself, nor written out in place of its
  // references, compiles in 115 ms instead of 180
  const conforms = new Ajv({ strict: false, verbose: true, validateSchema: false, inlineRefs: false }).compile(
    reportSchema(),
  )
  return (report, at) => {
    const { schema } = Object(report) as { schema?: unknown }
    if (typeof schema === 'string' && schema !== 'vmcheck.report/1')
      throw new DamagedReport(`its schema is "${schema}", and this version reads vmcheck.report/1`)
    if (!conforms(report)) throw new DamagedReport(describe(conforms.errors ?? [], at))
  }
}

/** What a value should be, by the name of a type in the schema. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  array: 'a list',
  object: 'an object',
  boolean: 'true or false',
  null: 'null',
}

/** The first damage in words. Where one of several shapes may stand, the one that fits furthest counts. */
function describe(errors: readonly ErrorObject[], at: string): string {
  const depth = ({ instancePath }: ErrorObject): number => instancePath.split('/').length
  const shapes = errors.filter(({ keyword }) => keyword !== 'anyOf')
  const deepest = Math.max(...shapes.map(depth))
  const [error, ...others] = shapes.filter((one) => depth(one) === deepest) as [ErrorObject, ...ErrorObject[]]
  const place = (at + error.instancePath.replace(/\/(\d+)/g, '[$1]').replaceAll('/', '.')).replace(/^\./, '')
  if (error.keyword === 'required') {
    const { missingProperty } = error.params as { missingProperty: string }
    const { properties } = error.parentSchema as { properties: Record<string, { type?: string }> }
    const type = TYPES[properties[missingProperty]?.type ?? '']
    return `${place === '' ? '' : `${place}.`}${missingProperty} is missing${type ? `, and should be ${type}` : ''}`
  }
  const types = [error, ...others].filter(({ keyword }) => keyword === 'type').map(typeOf)
  const wanted = types.length > 0 ? [...new Set(types)].join(' or ') : valueOf(error)
  return `${place === '' ? 'it' : place} is ${JSON.stringify(error.data)?.slice(0, 40)}, and should be ${wanted}`
}

function typeOf({ params }: ErrorObject): string {
  return [(params as { type: string | string[] }).type]
    .flat()
    .map((type) => TYPES[type] ?? type)
    .join(' or ')
}

/** What a value of the right type should be. */
function valueOf({ keyword, params, message = keyword }: ErrorObject): string {
  const { allowedValues, allowedValue, limit } = params as Record<string, unknown>
  if (Array.isArray(allowedValues)) return `one of ${allowedValues.join(', ')}`
  if (keyword === 'const') return JSON.stringify(allowedValue)
  return limit === undefined ? message : `at least ${String(limit)}`
}

/** A verdict that says something else than the rest of its report: no schema can say that. */
function checkVerdict({ verdict, violations, inconclusive }: Report, at: string): void {
  const place = `${at}.verdict`.replace(/^\./, '')
  if ((verdict === 'violation') !== violations.length > 0)
    throw new DamagedReport(`${place} is ${verdict}, and there are ${violations.length} violations`)
  if (verdict === 'inconclusive' && inconclusive === null)
    throw new DamagedReport(`${place} is inconclusive, and it is not said why`)
}

/** Kinds of violations at whose end actors wait. */
const HANGS: readonly string[] = ['deadlock', 'lost-wakeup', 'livelock']

/** Actors that there are not, steps that the schedule has not, and parts that belong to other kinds. */
function checkViolation(violation: Report['violations'][number], at: string, actors: number): void {
  const place = at.replace(/^\./, '')
  const known = (list: readonly { readonly actor: number }[], what: string): void => {
    const i = list.findIndex(({ actor }) => actor >= actors)
    if (i >= 0)
      throw new DamagedReport(`${place}.${what}[${i}].actor is ${list[i]?.actor}, and there are ${actors} actors`)
  }
  const { kind, schedule, steps, waiting, preemptions = [], accesses = [] } = violation
  known(schedule, 'schedule')
  known(steps, 'steps')
  for (const [i, { waits = [] }] of steps.entries()) known(waits, `steps[${i}].waits`)
  known(waiting, 'waiting')
  for (const [i, { heldBy }] of waiting.entries()) known(heldBy.map(asActor), `waiting[${i}].heldBy`)
  known(violation.stuck.map(asActor), 'stuck')
  known(preemptions, 'preemptions')
  known(accesses, 'accesses')
  if (waiting.length > 0 && !HANGS.includes(kind)) throw new DamagedReport(`${place}.waiting is not for ${kind}`)
  if (accesses.length > 0 && kind !== 'data-race') throw new DamagedReport(`${place}.accesses is not for ${kind}`)
  if (steps.length !== schedule.length)
    throw new DamagedReport(`${place}.steps has ${steps.length} steps, and its schedule has ${schedule.length}`)
}

function asActor(actor: number): { readonly actor: number } {
  return { actor }
}
