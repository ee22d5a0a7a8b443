import { count } from '../report/numbers.ts'
import { painter } from '../report/formats/terminal.ts'
import { type GateResult, caseName, wasInterrupted } from '../gate/gate-result.ts'
import { resultLine } from '../gate/renderings.ts'
import type { GateListener, PlannedCase } from '../session/gate/run.ts'
import type { Terminal } from './process/terminal.ts'

/** Milliseconds between two drawings. */
const PERIOD_MS = 200
/** Rows that are drawn at most: what is higher than the terminal cannot be drawn over. */
const MAX_ROWS = 20

/** Shows a gate running: a table redrawn on a terminal's standard error, or a line for each scenario as it ends. */
export class GateTable implements GateListener {
  readonly #cases: readonly PlannedCase[]
  readonly #terminal: Terminal
  readonly #quiet: boolean
  readonly #started = performance.now()
  readonly #running = new Map<number, () => number>()
  readonly #results = new Map<number, GateResult>()
  readonly #timer: NodeJS.Timeout | null
  #drawn = 0
  /** Lines are printed in the order of the plan. */
  #printed = 0

  constructor(cases: readonly PlannedCase[], terminal: Terminal, quiet: boolean) {
    this.#cases = cases
    this.#terminal = terminal
    this.#quiet = quiet
    this.#timer = terminal.live && !quiet ? setInterval(() => this.#draw(), PERIOD_MS) : null
  }

  started(index: number, states: () => number): void {
    this.#running.set(index, states)
  }

  finished(index: number, result: GateResult): void {
    this.#running.delete(index)
    this.#results.set(index, result)
    if (this.#quiet) return
    for (let next = this.#results.get(this.#printed); next; next = this.#results.get(++this.#printed)) {
      const isWorthIt = this.#timer === null || (next.status !== 'as expected' && next.status !== 'unchanged')
      if (isWorthIt && !wasInterrupted(next)) {
        this.#clear()
        this.#terminal.out(`${this.#painted(next)}\n`)
      }
    }
  }

  /** Takes the table away. */
  end(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#clear()
  }

  #painted(result: GateResult): string {
    const paint = painter(this.#terminal.colour)
    const line = resultLine(result)
    return result.status === 'as expected' || result.status === 'unchanged'
      ? line
      : paint(result.status === 'inconclusive' ? 'yellow' : 'red', line)
  }

  #clear(): void {
    if (this.#drawn > 0) this.#terminal.err(`\u001b[${this.#drawn}A\u001b[J`)
    this.#drawn = 0
  }

  #draw(): void {
    const width = Math.max(20, this.#terminal.width - 1)
    const rows = [
      ...this.#rows(),
      ...[...this.#running].map(([index, states]) => this.#runningRow(index, states())),
      this.#total(),
    ].slice(-MAX_ROWS)
    this.#clear()
    this.#terminal.err(rows.map((row) => `${row.slice(0, width)}\n`).join(''))
    this.#drawn = rows.length
  }

  /** A row for each model: how many of its scenarios are done, and how they came out. */
  #rows(): string[] {
    const files = [...new Set(this.#cases.map(({ bundle }) => bundle.file))]
    const width = Math.max(...files.map(({ length }) => length))
    return files.map((file) => {
      const mine = this.#cases.map(({ bundle }, i) => (bundle.file === file ? i : -1)).filter((i) => i >= 0)
      const done = mine.flatMap((i) => this.#results.get(i) ?? [])
      const bad = done.filter(({ status }) => status === 'differs' || status === 'broken').length
      const bar = '█'.repeat(Math.round((10 * done.length) / mine.length)).padEnd(10, '░')
      return `${file.padEnd(width)}  ${bar}  ${String(done.length).padStart(3)} of ${mine.length}${bad > 0 ? `, ${bad} not as expected` : ''}`
    })
  }

  #runningRow(index: number, states: number): string {
    const { bundle, scenario } = this.#cases[index] as PlannedCase
    return `  ${caseName({ file: bundle.file, scenario })}: ${count(states)} states`
  }

  #total(): string {
    return `${this.#results.size} of ${this.#cases.length} scenarios, ${((performance.now() - this.#started) / 1000).toFixed(0)} s`
  }
}
