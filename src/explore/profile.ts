/** What a thread's time goes to, in the order of the phases of a search. */
export const PHASES = ['code', 'walk', 'build', 'probe', 'check', 'grow', 'sweep', 'wait'] as const

/** Milliseconds by phase. */
export type Times = Readonly<Record<(typeof PHASES)[number], number>>

/** What one thread did with its time: read a few times for every group of states, so that it costs next to nothing. */
export class Profile {
  #mark = 0
  #walk = 0
  #build = 0
  #probe = 0
  #check = 0
  #grow = 0
  #sweep = 0
  /** Steps and blocked attempts that the search asked for. */
  asked = 0

  /** A phase begins. */
  start(): void {
    this.#mark = performance.now()
  }

  #lap(): number {
    const now = performance.now()
    const spent = now - this.#mark
    this.#mark = now
    return spent
  }

  /** Steps were looked up, the model's code included. */
  walked(): void {
    this.#walk += this.#lap()
  }

  /** Successors were built. */
  built(): void {
    this.#build += this.#lap()
  }

  /** Successors were stored. */
  probed(): void {
    this.#probe += this.#lap()
  }

  /** States were checked. */
  checked(): void {
    this.#check += this.#lap()
  }

  /** States were entered into a new table, or packed anew. */
  grown(): void {
    this.#grow += this.#lap()
  }

  /** Some of a backward sweep was made. */
  swept(): void {
    this.#sweep += this.#lap()
  }

  /** The times so far; `code`, measured where it runs, is part of the walk and of the sweep's. */
  times(code: number): Times {
    return { code, walk: Math.max(0, this.#walk - code), build: this.#build, probe: this.#probe, check: this.#check, grow: this.#grow, sweep: this.#sweep, wait: 0 }
  }
}

/** Times of several threads together. */
export function addTimes(a: Times, b: Times): Times {
  return Object.fromEntries(PHASES.map((phase) => [phase, a[phase] + b[phase]])) as Times
}
