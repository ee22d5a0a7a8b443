import type { Actor } from '../../model/actor.ts'
import { sharesCpu } from '../../semantics/dispatch.ts'
import { LocalCodec } from '../state/local-codec.ts'
import type { LocalStates } from '../state/local-states.ts'
import type { System } from '../state/system.ts'
import type { Executor } from '../step/executor.ts'
import { Standing } from '../step/standing.ts'
import type { StepRecord } from '../step/step-record.ts'

/** Local states of an actor whose decoded form is kept at most. */
const MOST_STANDING = 1 << 12
/** Of the steps that are executed each time one in so many is timed: reading the clock takes a twentieth of one. */
const TIMED = 16

/** What steps are executed with. */
export interface StepExecutionParts {
  readonly system: Pick<System, 'runtime' | 'objects'>
  readonly executor: Executor
  readonly locals: LocalStates
  readonly actors: readonly Actor[]
}

/** Executes steps of stored states for the table. */
export class StepExecution {
  readonly #parts: StepExecutionParts
  readonly #codec: LocalCodec
  /** By actor and number of the local state: what it decodes to; null where it has to be decoded each time. */
  readonly #standing: Map<number, Standing | null>[]
  #count = 0
  /** Time spent in the model's code. */
  milliseconds = 0

  constructor(parts: StepExecutionParts) {
    this.#parts = parts
    this.#codec = new LocalCodec(parts.system.runtime, parts.system.objects)
    this.#standing = parts.actors.map(() => new Map<number, Standing | null>())
  }

  /** Executes a step. */
  run(actor: number, state: Int32Array, script: readonly number[], isPlaced: boolean): StepRecord {
    const { executor, locals, actors } = this.#parts
    const started = performance.now()
    const record = executor.execute(actors[actor] as Actor, locals.code(state, actor), state, script, isPlaced)
    this.milliseconds += performance.now() - started
    return record
  }

  /** The same where steps from the actor's local state are executed each time: what it decodes to is kept. */
  runFrom(actor: number, state: Int32Array, script: readonly number[], isPlaced: boolean): StepRecord {
    const { executor, actors } = this.#parts
    const standing = this.#standingOf(actor, state)
    if (standing === null) return this.run(actor, state, script, isPlaced)
    const isTimed = this.#count++ % TIMED === 0
    const started = isTimed ? performance.now() : 0
    const record = executor.executeFrom(actors[actor] as Actor, standing, state, script)
    if (isTimed) this.milliseconds += (performance.now() - started) * TIMED
    return record
  }

  #standingOf(actor: number, state: Int32Array): Standing | null {
    const { locals, actors, system } = this.#parts
    if (sharesCpu(actors[actor] as Actor)) return null
    const row = this.#standing[actor] as Map<number, Standing | null>
    const id = locals.id(state, actor)
    const known = row.get(id)
    if (known !== undefined) return known
    if (row.size >= MOST_STANDING) row.clear()
    const made = Standing.of(this.#codec.decodeAhead(locals.code(state, actor)), system.objects)
    row.set(id, made)
    return made
  }
}
