import { count } from '../numbers.ts'
import type { SearchProfile } from '../report.ts'

/** Where the time of a search went, as lines for a terminal. */
export function renderProfile({
  seconds,
  cpu,
  milliseconds,
  states,
  transitions,
  asked,
  built,
  executed,
}: SearchProfile): string {
  const { code, walk, build, probe, check, grow, sweep, wait } = milliseconds
  const all = code + walk + build + probe + check + grow + sweep + wait
  const served = asked - executed
  const line = (name: string, spent: number, about: string): string => {
    const share = all > 0 ? (spent / all) * 100 : 0
    return `  ${name.padEnd(18)}${(spent / 1000).toFixed(3).padStart(9)} s ${share.toFixed(1).padStart(5)} %  ${about}`.trimEnd()
  }
  const known = built < transitions ? `; what ${count(transitions - built)} transitions lead to was known` : ''
  const each = (spent: number, n: number, unit: string): string =>
    n > 0 ? `${((spent * 1e6) / n).toFixed(0)} ns ${unit}` : ''
  return `${[
    `Profile: ${seconds.toFixed(3)} s, of all threads ${(all / 1000).toFixed(3)} s, of the processors ${cpu.all.toFixed(3)} s`,
    line(
      'model’s code',
      code,
      executed > 0 ? `${count(executed)} runs, ${((code * 1e3) / executed).toFixed(0)} µs each` : '',
    ),
    line('table walk', walk, `${count(asked)} steps looked up, ${each(walk, asked, 'each')}`),
    line('hashing', build, `${count(built)} successors built, ${each(build, built, 'each')}${known}`),
    line('probing', probe, each(probe, built, 'a successor')),
    line('checking', check, each(check, states, 'a state')),
    line('making room', grow, 'larger tables, wider local states'),
    line('backward sweeps', sweep, each(sweep, states, 'a state')),
    line('waiting', wait, 'threads without work'),
    [
      `  served by the table: ${((asked > 0 ? served / asked : 1) * 100).toFixed(3)} % of ${count(asked)} steps`,
      each(walk + build + probe, served, 'each with hashing and probing'),
    ]
      .filter((part) => part !== '')
      .join(', '),
  ].join('\n')}\n`
}
