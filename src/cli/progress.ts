import type { Progress } from '../explore/search/search.ts'
import { bytes, count } from '../report/numbers.ts'
import type { Streams } from './streams.ts'

/** Draws a search's progress on one line of a terminal's standard error, at most five times a second. */
export class ProgressLine {
  readonly #streams: Streams
  readonly #quiet: boolean
  #drawn = 0
  #shown = false

  constructor(streams: Streams, quiet: boolean) {
    this.#streams = streams
    this.#quiet = quiet
  }

  /** Shows how far the search is. */
  update({ states, depth, frontier, bytes: memory, seconds }: Progress): void {
    this.show(
      seconds,
      () =>
        `${count(states)} states, ${count(Math.round(states / seconds))}/s, depth ${depth}, frontier ${count(frontier)}, ${bytes(memory)}, ${seconds.toFixed(0)} s`,
    )
  }

  /** Shows a text; `seconds` since the start say whether it is time to. */
  show(seconds: number, text: () => string): void {
    if (this.#quiet || !this.#streams.live || seconds < 0.5 || seconds - this.#drawn < 0.2) return
    this.#drawn = seconds
    this.#shown = true
    this.#streams.err(`\r\u001b[K${text()}`)
  }

  /** Clears the line. */
  end(): void {
    if (this.#shown) this.#streams.err('\r\u001b[K')
    this.#shown = false
  }
}
