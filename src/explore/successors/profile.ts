/** What a thread's time goes to, in the order of the phases of a search. */
export const PHASES = ['code', 'walk', 'build', 'probe', 'check', 'grow', 'sweep', 'wait'] as const

/** Milliseconds by phase. */
export type Times = Readonly<Record<(typeof PHASES)[number], number>>

/** What one thread did with its time: read a few times for every group of states, so that it costs next to nothing. */
export class Profile {
  /** Steps and blocked attempts that the search asked for. */
  asked = 0
  /** Successors that were built and looked up. */
  built = 0
  #mark = 0
  readonly #spent = { code: 0, walk: 0, build: 0, probe: 0, check: 0, grow: 0, sweep: 0, wait: 0 }

  /** A phase begins. */
  start(): void {
    this.#mark = performance.now()
  }

  /** A phase ends, and the next begins. */
  end(phase: keyof Times): void {
    const now = performance.now()
    this.#spent[phase] += now - this.#mark
    this.#mark = now
  }

  /** The times so far; `code`, measured where it runs, is part of the walk and of the sweep's. */
  times(code: number): Times {
    return { ...this.#spent, code, walk: Math.max(0, this.#spent.walk - code) }
  }
}

/** Times of several threads together. */
export function addTimes(a: Times, b: Times): Times {
  return Object.fromEntries(PHASES.map((phase) => [phase, a[phase] + b[phase]])) as Times
}
