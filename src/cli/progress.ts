import type { Progress } from '../explore/search/search-result.ts'
import { bytes, count } from '../report/numbers.ts'
import type { Environment, RunProgress } from '../session/environment.ts'
import type { Terminal } from './process/terminal.ts'

/** Seconds after which progress is worth a line, and between two drawings of it. */
const FIRST = 0.5
const PERIOD = 0.2

/**
 * Runs a search or a free run whose progress is drawn on one line of a terminal's standard error.
 *
 * @param isQuiet draws nothing
 */
export async function withProgress<T>(
  terminal: Terminal,
  isQuiet: boolean,
  body: (environment: Environment) => Promise<T>,
): Promise<T> {
  if (isQuiet || !terminal.live) return body(terminal)
  const line = new ProgressLine(terminal)
  try {
    return await body({
      ...terminal,
      onProgress: (progress) => line.show(progress),
      warn: (message) => {
        line.clear()
        terminal.warn(message)
      },
    })
  } finally {
    line.clear()
  }
}

class ProgressLine {
  readonly #terminal: Terminal
  #drawn = 0
  #isShown = false

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  show(progress: Progress | RunProgress): void {
    const { seconds } = progress
    if (seconds < FIRST || (seconds >= this.#drawn && seconds - this.#drawn < PERIOD)) return
    this.#drawn = seconds
    this.#isShown = true
    this.#terminal.err(`\r\u001b[K${textOf(progress)}`)
  }

  clear(): void {
    if (this.#isShown) this.#terminal.err('\r\u001b[K')
    this.#isShown = false
  }
}

function textOf(progress: Progress | RunProgress): string {
  const { seconds } = progress
  if ('rounds' in progress)
    return `${count(progress.rounds)} rounds, ${count(progress.points)} points, ${seconds.toFixed(0)} s`
  const { states, depth, frontier, bytes: memory } = progress
  return `${count(states)} states, ${count(Math.round(states / seconds))}/s, depth ${depth}, frontier ${count(frontier)}, ${bytes(memory)}, ${seconds.toFixed(0)} s`
}
