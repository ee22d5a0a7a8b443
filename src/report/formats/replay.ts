import type { Violation } from '../../trace/violation.ts'
import { plural } from '../numbers.ts'
import type { Report } from '../report.ts'
import { painter, renderViolation, wrap } from './terminal.ts'
import { subject } from '../wording.ts'

/** What live CPUs made of a schedule. */
export interface ReplayOutcome extends Pick<Report, 'actors'> {
  readonly title: string
  readonly file: string
  readonly scenario: string | null
  readonly params: Readonly<Record<string, unknown>>
  /** Steps of the schedule. */
  readonly told: number
  /** What they came to, with the steps that they took. */
  readonly violation: Violation
  readonly difference: { readonly step: number; readonly what: string } | null
}

/** A replay as text for a terminal: whether it went as told, the trace as live CPUs made it, and who sleeps now. */
export function renderReplay(
  outcome: ReplayOutcome,
  options: { readonly width: number; readonly colour: boolean; readonly isBrief: boolean },
): string {
  const width = Math.max(40, Math.min(100, options.width))
  const paint = painter(options.colour)
  const { difference, violation, actors } = outcome
  const headline = difference
    ? `${paint(['bold', 'red'], 'DIFFERS')}  ${difference.step > 0 ? `at step ${difference.step} of ${outcome.told}: ` : ''}${difference.what}`
    : `${paint(['bold', 'green'], 'REPLAYED')}  ${plural(outcome.told, 'step')} on ${plural(actors.length, 'live thread')} came to the same: ${violation.kind}: ${violation.message}`
  if (options.isBrief) return `${headline}\n`
  const about = `${outcome.title}\n${subject({ file: outcome.file, scenario: outcome.scenario, params: outcome.params })}`
  return `${[`${wrap(headline, width)}\n${wrap(about, width)}`, renderViolation({ actors }, violation, paint, width)].filter((part) => part !== '').join('\n\n')}\n`
}
