import { CONTROL } from './search-worker.ts'
import type { StopReason } from '../../model/verdict.ts'
import type { SearchOptions } from './search-result.ts'

/** Whether a search is to end before its end, and why; told to its workers by a flag of their control. */
export class Stopping {
  /** States stored but not expanded when the search stopped. */
  left = 0
  readonly #control: Int32Array<SharedArrayBuffer>
  readonly #started = performance.now()
  #reason: StopReason | null = null

  /** @param control shared with the workers, by {@link CONTROL} */
  constructor(control: Int32Array<SharedArrayBuffer>) {
    this.#control = control
  }

  /** Why the search ends early; null: it does not. */
  get reason(): StopReason | null {
    return this.#reason
  }

  /** Seconds since the search began. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000
  }

  /** Ends the search as soon as its workers look. The first reason counts. */
  stop(reason: StopReason): void {
    this.#reason ??= reason
    Atomics.store(this.#control, CONTROL.abort, 1)
  }

  /** The search has come to its bound of depth: its workers are done. */
  bound(): void {
    this.#reason = 'depth'
  }

  /** Looks now and then whether the caller has given up or the time is over; until the timer is cleared. */
  watch({ signal, limits }: Pick<SearchOptions, 'signal' | 'limits'>, looked: () => void): NodeJS.Timeout {
    const check = (): void => {
      if (signal.aborted) this.stop('interrupt')
      else if (this.seconds >= limits.time) this.stop('time')
      looked()
    }
    check() // a caller that has given up before does not wait for the first step
    return setInterval(check, 50)
  }
}
