import { isOwn } from '../../source/places.ts'
import type { SourcePlace } from '../../source/refusal.ts'
import type { Actor } from '../../model/actor.ts'
import { LocalCodec } from '../state/local-codec.ts'
import { type LocalState } from '../state/local-form.ts'
import type { Engine } from '../search/engine.ts'
import type { System } from '../state/system.ts'

/** Where in the code no one is preempted: at one place of it, or within a function, which is given by its site. */
export type Stretch = { readonly place: string } | { readonly function: number }

/** Where an actor stands in its code. */
export interface Standpoint {
  /** Tells places in the code apart: the innermost of the model's own functions, and where it is. */
  readonly place: string
  /** That function, by site and name; null before the program starts. */
  readonly within: { readonly function: number; readonly name: string } | null
  readonly at: SourcePlace | null
}

/** Place of a local state in the code, for any values of its variables and any caller; null for one at its end. */
export function standpoint({ runtime }: System, actor: Actor, state: LocalState): Standpoint | null {
  if (state.at === 'finished') return null
  if (state.at === 'start') return { place: `${actor.program.name} start ${state.log.length}`, within: null, at: null }
  const { stack } = state
  const own = stack.findLastIndex(({ info }) => isOwn(runtime.place(info.site)))
  const { info } = stack[Math.max(0, own)] as (typeof stack)[number]
  const inner = stack.slice(Math.max(0, own)).map((frame) => `${frame.info.site}:${frame.site}`)
  const place = `${inner.join(' ')}${state.at === 'resume' ? ` resume ${state.log.length}` : ''}`
  return { place, within: { function: info.site, name: info.name }, at: runtime.place(stack.at(-1)?.site ?? 0) }
}

/** Tells which actors stand in a stretch of code: those that, having got there, are not to be preempted. */
export class Uninterrupted {
  readonly #stretch: Stretch
  readonly #engine: Engine
  readonly #codec: LocalCodec
  /** By actor and local state: whether it is there. */
  readonly #known: Map<number, boolean>[]

  constructor(stretch: Stretch, engine: Engine) {
    const { system } = engine
    this.#stretch = stretch
    this.#engine = engine
    this.#codec = new LocalCodec(system.runtime, system.objects)
    this.#known = system.actors.map(() => new Map())
  }

  /** Whether an actor stands there in a state. */
  holds(actor: number, words: Int32Array): boolean {
    const { locals } = this.#engine
    const local = locals.id(words, actor)
    const known = this.#known[actor] as Map<number, boolean>
    let holds = known.get(local)
    if (holds === undefined) known.set(local, (holds = this.#decode(actor, local)))
    return holds
  }

  #decode(actor: number, local: number): boolean {
    const { system, locals } = this.#engine
    system.runtime.begin()
    try {
      const state = this.#codec.decode(locals.blob(actor, local))
      if ('function' in this.#stretch) {
        const { function: site } = this.#stretch
        return 'stack' in state && state.stack.some(({ info }) => info.site === site)
      }
      return standpoint(system, system.actors[actor] as Actor, state)?.place === this.#stretch.place
    } finally {
      system.runtime.end()
    }
  }
}
