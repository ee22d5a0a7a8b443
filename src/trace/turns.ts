import type { Actor, Cpu } from '../model/actor.ts'
import type { Why } from './trace.ts'

/** The state that a trace has reached, as far as it says whose turn it is. */
export interface ScheduleState {
  isFinished(actor: Actor): boolean
  /** Whether an unfinished actor cannot take a step. */
  isBlocked(actor: Actor): boolean
  /** What a blocked actor waits at. */
  waitOf(actor: Actor): { readonly operation: string; readonly target: string } | undefined
  /** Who has which CPU, among the threads that share them. */
  placed(): ReadonlyMap<Actor, Cpu>
}

/** Says, step by step along a trace, why it is this actor's turn. */
export class Turns {
  readonly #actors: readonly Actor[]
  readonly #state: ScheduleState
  readonly #started = new Set<number>()
  /** Actors that were found blocked: who let them continue, or null while no one has. */
  readonly #waited = new Map<number, Actor | null>()
  #last = -1
  #why: Why = 'start'
  #reason = ''
  #placed: ReadonlyMap<Actor, Cpu> = new Map()

  constructor(actors: readonly Actor[], state: ScheduleState) {
    this.#actors = actors
    this.#state = state
  }

  /** The state is the one before the actor's step. */
  before(actor: number): void {
    this.#why = this.#whyOf(actor)
    this.#reason = this.#because(actor)
    this.#placed = this.#state.placed()
  }

  /** The state is the one after it: why it was this actor's turn, and the same in words. */
  after(actor: number): { readonly why: Why; readonly because: string } {
    this.#started.add(actor)
    this.#waited.delete(actor)
    for (const other of this.#actors) {
      if (this.#state.isBlocked(other)) this.#waited.set(other.id, null)
      else if (this.#waited.get(other.id) === null) this.#waited.set(other.id, this.#actors[actor] as Actor)
    }
    this.#last = actor
    return { why: this.#why, because: [this.#reason, this.#moves()].filter((part) => part !== '').join('; ') }
  }

  #whyOf(actor: number): Why {
    if (!this.#started.has(actor)) return 'start'
    if (actor === this.#last) return 'continue'
    if (this.#waited.has(actor)) return 'woken'
    const before = this.#actors[this.#last] as Actor
    return this.#state.isFinished(before) ? 'finished' : this.#state.isBlocked(before) ? 'blocked' : 'preempted'
  }

  #because(actor: number): string {
    const before = this.#actors[this.#last]
    if (actor === this.#last) return ''
    const parts: string[] = []
    if (before && this.#state.isFinished(before)) parts.push(`${before.title} has finished`)
    else if (before && this.#state.isBlocked(before)) {
      const wait = this.#state.waitOf(before)
      parts.push(`${before.title} is blocked on ${wait?.target || 'a condition'} (${wait?.operation})`)
    } else if (before && before.state === null) parts.push(`${before.title} is preempted`)
    const waker = this.#waited.get(actor)
    if (waker && waker !== this.#actors[actor] && this.#why !== 'start') parts.push(`woken by ${waker.title}`)
    const who = this.#actors[actor] as Actor
    if (this.#why === 'start') parts.push(who.cpu.state ? `${who.name} starts` : 'starts')
    else if (who.kind === 'handler') parts.push(`${who.name} runs`)
    return parts.join('; ')
  }

  /** What the step did to who runs where: `name/0 leaves CPU 1`, `name/1 runs on CPU 1, which name/0 loses`. */
  #moves(): string {
    const before = this.#placed
    const after = this.#state.placed()
    const got = [...after].filter(([actor, cpu]) => before.get(actor) !== cpu)
    const lost = [...before].filter(([actor]) => !after.has(actor))
    if (got.length === 0) return lost.map(([actor, cpu]) => `${actor.name} leaves ${cpu.name}`).join('; ')
    return got
      .map(([actor, cpu]) => {
        const loser = lost.find(([, left]) => left === cpu)?.[0]
        return `${actor.name} runs on ${cpu.name}${loser ? `, which ${loser.name} loses` : ''}`
      })
      .join('; ')
  }
}
