import type { Driver, Point, TakenStep, Wait } from './driver.ts'
import { ACTOR, COMMAND, CONTROL, FLAG, STANDING, actorWords } from './memory/buffers.ts'
import { Abandoned, type Roster } from './memory/roster.ts'

/** What an actor tells the coordinating thread in a replay. */
export type Told =
  /** It stands at a point, or again, after a step. */
  | { readonly tells: 'point' }
  | { readonly tells: 'step'; readonly step: TakenStep }
  /** It sleeps in an operation. */
  | { readonly tells: 'blocked'; readonly wait: Wait | null }
  | { readonly tells: 'look'; readonly wait: Wait | null }
  /** It stands right before an access to the field asked for. */
  | { readonly tells: 'access'; readonly isWrite: boolean }

/** Makes an actor take its steps when it is told to, with the alternatives that a schedule has. */
export class ScriptDriver implements Driver {
  readonly isWatched = true
  readonly sampling = 1
  readonly #roster: Roster
  readonly #control: Int32Array
  readonly #command: number
  readonly #tell: (told: Told) => void
  readonly #script: readonly (readonly number[])[]
  /** Field before whose access the actor halts once it continues freely; -1: none. */
  readonly #halt: number
  /** Whether it halts before a write only: what is written may have been read before. */
  readonly #haltsAtWrite: boolean
  #steps = 0
  #choices = 0
  #isFree = false

  /**
   * @param script alternatives taken, by step of this actor
   * @param halt field of a data race
   * @param haltsAtWrite whether the access that takes part in it is a write
   */
  constructor(
    roster: Roster,
    control: Int32Array,
    actor: number,
    script: readonly (readonly number[])[],
    halt: number,
    haltsAtWrite: boolean,
    tell: (told: Told) => void,
  ) {
    this.#roster = roster
    this.#control = control
    this.#command = actorWords(actor) + ACTOR.command
    this.#script = script
    this.#halt = halt
    this.#haltsAtWrite = haltsAtWrite
    this.#tell = tell
  }

  begin(): void {
    this.#steps = 0
    this.#choices = 0
    this.#isFree = false
  }

  pass(point: Point): void {
    this.#choices = 0
    this.#mustGoOn()
    if (this.#isFree) return
    this.#tell({ tells: 'point' })
    for (;;) {
      const command = this.#await()
      this.#mustGoOn()
      if (command === COMMAND.look) this.#tell({ tells: 'look', wait: point.look() })
      else {
        this.#isFree = command === COMMAND.free
        return
      }
    }
  }

  done(step: TakenStep): void {
    this.#steps++
    if (!this.#isFree || step.fault) this.#tell({ tells: 'step', step })
  }

  blocked(point: Point): void {
    this.#tell({ tells: 'blocked', wait: point.look() })
  }

  choose(n: number): number {
    const taken = this.#script[this.#steps]?.[this.#choices++] ?? 0
    return taken < n ? taken : n - 1
  }

  beforeAccess(field: number, isWrite: boolean): void {
    if (!this.#isFree || field !== this.#halt || (this.#haltsAtWrite && !isWrite)) return
    this.#tell({ tells: 'access', isWrite })
    this.#await()
    throw new Abandoned('the race is shown')
  }

  #await(): number {
    const nothing = (): boolean => Atomics.load(this.#control, this.#command) !== COMMAND.none || this.#isOver
    this.#roster.standWhile(STANDING.parked, this.#command, nothing)
    return Atomics.exchange(this.#control, this.#command, COMMAND.none)
  }

  get #isOver(): boolean {
    return (Atomics.load(this.#control, CONTROL.flags) & (FLAG.over | FLAG.end)) !== 0
  }

  #mustGoOn(): void {
    if (this.#isOver) throw new Abandoned('the round is over')
  }
}
