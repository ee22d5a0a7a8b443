import type { Report } from '../report/report.ts'
import { commandLine } from './command-line.ts'
import type { Violation } from '../trace/violation.ts'

/** Longest schedule that is printed. */
const LONGEST = 2000

/** The command line that drives live CPUs through a violation's schedule; null where there is no schedule, or a long one. */
export function replayCommandOf(
  { file, scenario }: Pick<Report['model'], 'file' | 'scenario'>,
  settings: readonly string[],
  violation: Violation | undefined,
  granularity: string,
): string | null {
  const schedule = violation?.schedule_string ?? ''
  if (!violation || violation.schedule.length === 0 || schedule.length > LONGEST) return null
  const words = ['npx vmcheck replay', file]
  if (scenario !== null) words.push('--scenario', scenario)
  for (const setting of settings) words.push('--set', setting)
  if (granularity !== 'step') words.push('--granularity', granularity)
  // in two lines, which a shell takes for one: most terminals are not as wide
  return `${commandLine(words)} \\\n    --schedule ${schedule}`
}
