import type { Actor } from '../model/actor.ts'
import type { LocalCodec, LocalState } from './encoding.ts'
import { BLOCKED, OUTCOME } from './leaf.ts'
import type { LocalStates } from './local-states.ts'
import type { StepTable } from './step-table.ts'
import type { Steps } from './steps.ts'
import type { System } from './system.ts'

/** Says out of which states the steps of one actor alone are taken. */
export interface StepSelection {
  /**
   * The actor whose steps out of a state are taken, or -1: those of all.
   *
   * @param position of the state among those whose steps these are
   */
  select(words: Int32Array, steps: Steps, position: number): number
}

/** Where in the code nobody is preempted: at one place of it, or within a function, which is given by its site. */
export type Stretch = { readonly point: string } | { readonly function: number }

/** A place in an actor's code, whatever its variables hold: the functions on its stack and where each of them is. */
export function controlPoint(actor: Actor, state: LocalState): string | null {
  if (state.at === 'finished') return null
  const program = actor.program.name
  if (state.at === 'start') return `${program} start ${state.log.length}`
  const log = state.at === 'resume' ? ` resume ${state.log.length}` : ''
  return `${program} ${state.stack.map(({ info, site }) => `${info.name}:${site}`).join(' ')}${log}`
}

function isWithin(actor: Actor, state: LocalState, stretch: Stretch): boolean {
  if ('point' in stretch) return controlPoint(actor, state) === stretch.point
  return 'stack' in state && state.stack.some(({ info }) => info.site === stretch.function)
}

/**
 * Lets nobody else move while an actor stands in a stretch of code and can go on: the executions without a preemption
 * there. Where several stand there, all may move.
 */
export class Uninterrupted implements StepSelection {
  readonly #stretch: Stretch
  readonly #system: System
  readonly #codec: LocalCodec
  readonly #locals: LocalStates
  readonly #table: StepTable
  /** By actor and local state: whether it is there. */
  readonly #known: Map<number, boolean>[]

  constructor(stretch: Stretch, parts: { readonly system: System; readonly codec: LocalCodec; readonly locals: LocalStates; readonly table: StepTable }) {
    this.#stretch = stretch
    this.#system = parts.system
    this.#codec = parts.codec
    this.#locals = parts.locals
    this.#table = parts.table
    this.#known = parts.system.actors.map(() => new Map())
  }

  select(words: Int32Array, steps: Steps, position: number): number {
    let found = -1
    for (const actor of this.#system.actors) {
      if (!this.#stands(actor, words) || !this.#canMove(steps.of(actor.id, position))) continue
      if (found >= 0) return -1
      found = actor.id
    }
    return found
  }

  #stands(actor: Actor, words: Int32Array): boolean {
    const local = this.#locals.id(words, actor.id)
    const known = this.#known[actor.id] as Map<number, boolean>
    let stands = known.get(local)
    if (stands === undefined) {
      const { runtime } = this.#system
      runtime.begin()
      try {
        stands = isWithin(actor, this.#codec.decode(this.#locals.blob(actor.id, local)), this.#stretch)
      } finally {
        runtime.end()
      }
      known.set(local, stands)
    }
    return stands
  }

  #canMove(leaves: Int32Array): boolean {
    return leaves.some((leaf) => ((this.#table.words[leaf] as number) & OUTCOME) !== BLOCKED)
  }
}
