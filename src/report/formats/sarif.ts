import { createHash } from 'node:crypto'
import type {
  Location,
  Log,
  PhysicalLocation,
  ReportingDescriptor,
  Result,
  ThreadFlow,
  ThreadFlowLocation,
} from 'sarif'
import type { TraceEvent } from '../../trace/trace.ts'
import type { Violation } from '../../trace/violation.ts'
import { isOwn } from '../../source/places.ts'
import { type Place, ownPlaces } from '../places.ts'
import type { Report } from '../report.ts'
import { laneTitle } from '../timeline.ts'
import { eventLine, outcome, subject, violationLine, waitLine } from '../wording.ts'

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json'

/** What each kind of violation means, for people who meet it in a list of alerts. */
const RULES: Readonly<Record<Violation['kind'], string>> = {
  deadlock: 'Actors wait for each other, or for what no actor can give them any more.',
  'lost-wakeup': 'An actor sleeps, and no actor is left that could wake it.',
  livelock: 'Actors move, and some never come to their end.',
  assertion: 'An assertion of the model does not hold.',
  invariant: 'A property that must hold in every state does not.',
  'at-rest': 'A property that must hold when all have finished does not.',
  'data-race': 'Two accesses to one field are not ordered, and one of them writes.',
  'use-after-free': 'Storage is used after it was freed.',
  range: 'A field is given a value that it cannot hold.',
  exception: 'The kernel code of the model throws.',
  'sleep-in-atomic':
    'An operation that may sleep is executed in a context that must not: with a spin lock held, interrupts or preemption off, or in an interrupt handler.',
  imbalance: 'A thread or interrupt handler ends with a lock held, or with interrupts or preemption off.',
  unreached: 'Something that should happen in some interleaving happens in none.',
}

/** Something wrong that is not a violation: a scenario that passes and should not, a model that does not load. */
export interface PlainAlert {
  /** Name of its rule. */
  readonly rule: string
  readonly about: string
  readonly message: string
  readonly file: string
  readonly scenario: string
}

/**
 * What was found as SARIF 2.1.0: a result for each violation, its trace as one thread flow a CPU.
 *
 * @param alerts results beside those
 */
export function renderSarif(reports: readonly Report[], alerts: readonly PlainAlert[] = []): string {
  const kinds = [...new Set(reports.flatMap(({ violations }) => violations.map(({ kind }) => kind)))].toSorted()
  const others = new Map(alerts.map(({ rule: id, about }) => [id, about]))
  const ids = [...kinds, ...others.keys()]
  const [first] = reports
  const log: Log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'vmcheck',
            semanticVersion: first?.tool.version ?? '0.0.0',
            rules: [
              ...kinds.map((kind) => rule(kind, RULES[kind])),
              ...[...others].map(([id, about]) => rule(id, about)),
            ],
          },
        },
        automationDetails: { id: `vmcheck/${[...new Set(reports.map(({ model }) => model.name))].join('+')}/` },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { '%SRCROOT%': { description: { text: 'The folder that vmcheck was run in.' } } },
        invocations: [
          {
            executionSuccessful: reports.every(({ verdict }) => verdict !== 'inconclusive'),
            toolExecutionNotifications: reports
              .filter(({ verdict }) => verdict === 'inconclusive')
              .map((report) => ({
                level: 'warning',
                message: { text: `${subject(report.model)}: ${outcome(report)}` },
              })),
          },
        ],
        results: [
          ...reports.flatMap((report) => report.violations.map((violation) => resultOf(report, violation, ids))),
          ...alerts.map((alert) => alertOf(alert, ids)),
        ],
      },
    ],
  }
  return `${JSON.stringify(log, null, 1)}\n`
}

function rule(id: string, text: string): ReportingDescriptor {
  return {
    id: `vmcheck/${id}`,
    shortDescription: { text },
    fullDescription: { text },
    defaultConfiguration: { level: 'error' },
    properties: { tags: ['concurrency', 'kernel'] },
  }
}

function alertOf({ rule: id, message, file, scenario }: PlainAlert, ids: readonly string[]): Result {
  return {
    ruleId: `vmcheck/${id}`,
    ruleIndex: ids.indexOf(id),
    level: 'error',
    message: { text: message },
    locations: [{ physicalLocation: physical({ file, line: 1, column: 1 }) }],
    partialFingerprints: fingerprint(file, scenario, id),
  }
}

function fingerprint(...parts: readonly (string | null)[]): Record<string, string> {
  return { 'vmcheck/v1': createHash('sha256').update(JSON.stringify(parts)).digest('hex') }
}

function resultOf(report: Report, violation: Violation, kinds: readonly string[]): Result {
  const { file, scenario } = report.model
  const [where] = ownPlaces(violation)
  const related = violation.waiting.flatMap((wait) =>
    isOwn(wait.at) ? [{ at: wait.at, text: waitLine(report, wait) }] : [],
  )
  const flows = flowsOf(report, violation)
  return {
    ruleId: `vmcheck/${violation.kind}`,
    ruleIndex: kinds.indexOf(violation.kind),
    level: 'error',
    kind: 'fail',
    message: {
      text: `${violationLine(violation)}\n${subject(report.model)}${report.commands ? `\n${report.commands.join('\n')}` : ''}`,
    },
    locations: [{ physicalLocation: physical(where ?? { file, line: 1, column: 1 }) }],
    ...(related.length > 0 && {
      relatedLocations: related.map(({ at, text }, i) => ({
        id: i + 1,
        physicalLocation: physical(at),
        message: { text },
      })),
    }),
    partialFingerprints: fingerprint(file, scenario, violation.kind, violation.property),
    ...(flows.length > 0 && { codeFlows: [{ message: { text: violation.message }, threadFlows: flows }] }),
    properties: { schedule: violation.schedule_string, scenario: scenario ?? '', minimal: violation.minimal },
  }
}

/** A thread flow for each CPU that takes part; places in all of them are numbered in the order in which they were passed. */
function flowsOf(report: Report, { steps }: Violation): ThreadFlow[] {
  const flows = new Map<number, ThreadFlowLocation[]>()
  let order = 0
  steps.forEach((step, i) => {
    const cpu = report.actors[step.actor]?.cpu ?? 0
    const list = flows.get(cpu) ?? []
    flows.set(cpu, list)
    for (const event of step.events) {
      const text = eventLine(event)
      if (text === '' && event !== step.events[0]) continue
      const isSwitch = event === step.events[0] && step.because !== ''
      list.push({
        executionOrder: ++order,
        nestingLevel: Math.max(0, event.function.length - 1),
        importance: isSwitch ? 'essential' : 'important',
        kinds: kindsOf(event),
        location: locationOf(event, `step ${i + 1}${isSwitch ? ` (${step.because})` : ''}: ${text || event.operation}`),
      })
    }
  })
  return [...flows]
    .toSorted(([a], [b]) => a - b)
    .map(([cpu, locations]) => ({ id: `CPU ${cpu}`, message: { text: laneTitle(report, cpu) }, locations }))
}

function kindsOf({ operation }: TraceEvent): string[] {
  return /^(acquire|announce|drain|upgrade|block)$/.test(operation)
    ? ['acquire']
    : operation === 'release'
      ? ['release']
      : []
}

function locationOf({ at, function: functions }: TraceEvent, text: string): Location {
  return {
    message: { text },
    ...(isOwn(at) && { physicalLocation: physical(at) }),
    ...(functions.length > 0 && {
      logicalLocations: [
        { name: functions.at(-1) as string, fullyQualifiedName: functions.join('/'), kind: 'function' },
      ],
    }),
  }
}

function physical({ file, line, column }: Place): PhysicalLocation {
  const uri = file.split('/').map(encodeURIComponent).join('/')
  return {
    artifactLocation: file.startsWith('/') ? { uri: `file://${uri}` } : { uri, uriBaseId: '%SRCROOT%' },
    region: { startLine: Math.max(1, line), startColumn: Math.max(1, column) },
  }
}
