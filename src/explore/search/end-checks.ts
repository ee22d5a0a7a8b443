import type { Check, Finding } from '../../model/check.ts'
import type { Engine } from './engine.ts'

/** What checks find in a finished search as a whole: properties that were never evaluated, or never held. */
export function findingsAtEnd({ propertyCounts, system }: Engine, checks: readonly Check[]): Finding[] {
  const counted = system.machine.properties.map((property) => ({
    property,
    evaluated: propertyCounts.evaluated(property),
    met: propertyCounts.met(property),
  }))
  return checks.flatMap((check) => [...(check.end?.(counted, checks) ?? [])])
}
