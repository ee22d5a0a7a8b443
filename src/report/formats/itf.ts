import type { MachineObject } from '../../trace/trace.ts'
import { type Report, mostTelling } from '../report.ts'
import { type MachineState, timelineOf } from '../timeline.ts'
import { toldEvents } from '../wording.ts'

/**
 * The first violation's trace in the Informal Trace Format of Apalache and Quint (ADR-015): a variable for each struct of
 * the machine, a record of its fields; `turn` is the actor of the step into a state and `action` what it did.
 */
export function renderItf(reports: readonly Report[]): string {
  const report = mostTelling(reports)
  const [violation] = report.violations
  const objects = named(report.machine ?? [])
  const states = violation ? timelineOf(report, violation).states : []
  const { model, verdict, tool } = report
  const text = {
    '#meta': {
      format: 'ITF',
      'format-description': 'https://apalache-mc.org/docs/adr/015adr-trace.html',
      source: model.file,
      status: verdict,
      description: `${tool.name} ${tool.version}: ${model.title}${model.scenario === null ? '' : `, ${model.scenario}`}${violation ? `: ${violation.message}` : ''}`,
    },
    vars: ['turn', 'action', ...objects.map(({ variable }) => variable)],
    states: states.map((state, index) => {
      const step = violation?.steps[index - 1]
      return {
        '#meta': { index },
        turn: step ? (report.actors[step.actor]?.name ?? '') : '',
        action: step
          ? toldEvents(step)
              .map(({ text }) => text)
              .join('; ')
          : '',
        ...Object.fromEntries(objects.map(({ variable, object }) => [variable, record(object, state)])),
      }
    }),
  }
  return `${JSON.stringify(text, null, 1)}\n`
}

/** Variables are identifiers, each struct's its own. */
function named(machine: readonly MachineObject[]): { readonly variable: string; readonly object: MachineObject }[] {
  const taken = new Set(['turn', 'action'])
  return machine.map((object) => {
    const base = (object.name || object.type)
      .replace(/[^A-Za-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '')
      .replace(/^(\d|$)/, 'v$1')
    let variable = base
    for (let i = 2; taken.has(variable); i++) variable = `${base}_${i}`
    taken.add(variable)
    return { variable, object }
  })
}

function record({ fields }: MachineObject, state: MachineState): object {
  return Object.fromEntries(fields.map(({ name, field }) => [name.replace(/^#/, ''), expression(state[field])]))
}

/** A value as an expression; no reference is the empty text, for all states of a variable are of one type. */
function expression(value: unknown): unknown {
  if (typeof value === 'number') return { '#bigint': String(value) }
  if (Array.isArray(value)) return { '#set': value.map(expression) }
  return typeof value === 'boolean' ? value : value === null || value === undefined ? '' : String(value)
}
