import type { Report } from '../report/report.ts'
import type { Violation } from '../trace/violation.ts'
import { type ExploreOptions, settingsOf } from './options.ts'

/** A word of a command line as a shell takes it: in quotes where it holds anything special. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** A command line of some words that a shell takes as they are. */
function commandLine(words: readonly string[]): string {
  return words.map((word, i) => (i === 0 ? word : quoted(word))).join(' ')
}

/** How `bugDepth` is written on a command line: `--bug-depth`. */
export function optionName(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** The command line that explores a scenario with some options. */
function exploreCommandOf(file: string, options: ExploreOptions): string {
  const { scenario, set = [], strategy, granularity, check = [], noCheck = [], keepGoing } = options
  const words = ['npx vmcheck explore', file]
  const add = (option: keyof ExploreOptions, value: string | number): void =>
    void words.push(optionName(option), String(value))
  if (scenario !== undefined) add('scenario', scenario)
  for (const setting of settingsOf(set)) add('set', setting)
  if (strategy !== undefined && strategy !== 'bfs') add('strategy', strategy)
  for (const option of ['seed', 'runs', 'bugDepth', 'preemptions', 'reduce'] as const) {
    const value = options[option]
    if (value !== undefined && value !== Infinity) add(option, value)
  }
  if (granularity !== undefined) add('granularity', granularity)
  for (const name of check) add('check', name)
  for (const name of noCheck) add('noCheck', name)
  if (keepGoing) words.push('--keep-going')
  return commandLine(words)
}

/** Command lines that show a report's finding again: exploring, and on live CPUs. */
export function commandsOf(report: Report, options: ExploreOptions, violation = report.violations[0]): string[] {
  const { model, stats } = report
  const explore = exploreCommandOf(model.file, { ...options, scenario: model.scenario ?? undefined })
  const replay =
    violation && isToldOnly(violation, report.actors.length)
      ? `${explore} --json | npx vmcheck replay -${numberOf(report, violation)}`
      : replayCommandOf(model, settingsOf(options.set ?? []), violation, stats.granularity)
  return [explore, ...(replay === null ? [] : [replay])]
}

/**
 * Whether live CPUs see what is wrong only if they are told: which accesses race, and who hangs while others run. A
 * schedule alone leads to a state in which they find nothing.
 */
function isToldOnly({ kind, waiting, accesses }: Violation, actors: number): boolean {
  const mayOthersRun = waiting.length < actors && !hasRing(waiting)
  return (
    accesses !== undefined ||
    kind === 'livelock' ||
    (waiting.length > 0 && mayOthersRun) ||
    waiting.some(({ operation }) => operation === 'spin')
  )
}

/** Whether some of those who wait do so for each other: live CPUs see that also while others run. */
function hasRing(waiting: Violation['waiting']): boolean {
  const ring = waiting.filter(({ actor, heldBy }) =>
    heldBy.some((holder) => holder !== actor && waiting.some((other) => other.actor === holder)),
  )
  return ring.length === waiting.length ? ring.length > 0 : hasRing(ring)
}

function numberOf({ violations }: Report, violation: Violation): string {
  const at = violations.indexOf(violation)
  return at > 0 ? ` --violation ${at + 1}` : ''
}

/** Longest schedule that is printed. */
const MAX_SCHEDULE_CHARACTERS = 2000

/** The command line that drives live CPUs through a violation's schedule; null where there is no schedule, or a long one. */
export function replayCommandOf(
  { file, scenario }: Pick<Report['model'], 'file' | 'scenario'>,
  settings: readonly string[],
  violation: Violation | undefined,
  granularity: string,
): string | null {
  const schedule = violation?.schedule_string ?? ''
  if (!violation || violation.schedule.length === 0 || schedule.length > MAX_SCHEDULE_CHARACTERS) return null
  const words = ['npx vmcheck replay', file]
  if (scenario !== null) words.push('--scenario', scenario)
  for (const setting of settings) words.push('--set', setting)
  if (granularity !== 'step') words.push('--granularity', granularity)
  // in two lines, which a shell takes for one: most terminals are not as wide
  return `${commandLine(words)} \\\n    --schedule ${schedule}`
}
