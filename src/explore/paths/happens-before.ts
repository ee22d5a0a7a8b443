/**
 * Which events of an execution happen before which, by vector clocks: the least order that holds the order of each actor's
 * own events, and that of events which are said to be ordered.
 */
export class HappensBefore {
  readonly #actors: number
  readonly #of: number[] = []
  /** By event and actor: how many of the execution's first events to look at for that actor's last event before this one; 0: none. */
  readonly #clocks: Int32Array[] = []

  constructor(actors: number) {
    this.#actors = actors
  }

  /** Forgets the events from one on. */
  truncate(length: number): void {
    this.#of.length = length
    this.#clocks.length = length
  }

  /** Adds an event. */
  push(actor: number, isOrdered: (earlier: number) => boolean): void {
    const clock = this.clockOf(actor, isOrdered)
    clock[actor] = this.#of.length + 1
    this.#of.push(actor)
    this.#clocks.push(clock)
  }

  /** What happens before an event, the event included. */
  clock(event: number): Int32Array {
    return this.#clocks[event] as Int32Array
  }

  /** What would happen before another event of an actor. */
  clockOf(actor: number, isOrdered: (earlier: number) => boolean): Int32Array {
    const clock = new Int32Array(this.#actors)
    for (let event = this.#of.length - 1; event >= 0; event--) {
      if (this.isIn(event, clock)) continue
      if (this.#of[event] === actor || isOrdered(event)) this.#join(clock, event)
    }
    return clock
  }

  /** Whether an event happens before what a clock belongs to. */
  isIn(event: number, clock: Int32Array): boolean {
    return event < (clock[this.#of[event] as number] as number)
  }

  /** Whether one event happens before another. */
  isBefore(one: number, two: number): boolean {
    return this.isIn(one, this.#clocks[two] as Int32Array)
  }

  #join(clock: Int32Array, event: number): void {
    const other = this.#clocks[event] as Int32Array
    for (let actor = 0; actor < this.#actors; actor++)
      clock[actor] = Math.max(clock[actor] as number, other[actor] as number)
  }
}
