import type { Engine } from '../search/engine.ts'
import { BLOCKED, FAULT, OUTCOME, leafChoices } from '../table/leaf.ts'
import { Tracer } from './tracer.ts'

/** A state of a graph: how it is reached apart, what becomes of it. */
export interface GraphState {
  /** `end`: all actors have finished; `stuck`: no actor can move, and some have not finished; `fault`: where a step that fails ends. */
  readonly kind: 'inner' | 'end' | 'stuck' | 'fault'
  /** What failed; else empty. */
  readonly label: string
}

/** A step from one state to another, in kernel terms. */
export interface GraphEdge {
  readonly from: number
  readonly to: number
  readonly label: string
}

/** The states that a search has stored and the steps between them, numbered breadth first from the initial one, 0. */
export interface StateGraph {
  readonly states: readonly GraphState[]
  /** In order of their first states. */
  readonly edges: readonly GraphEdge[]
}

/**
 * Gathers the graph of a search's stored states; steps to states beyond a bound are left out.
 *
 * @param most how many states at most
 */
export function stateGraph(engine: Engine, most: number): StateGraph {
  return new Gathering(engine, most).graph()
}

class Gathering {
  readonly #engine: Engine
  readonly #tracer: Tracer
  readonly #states: GraphState[] = []
  readonly #edges: GraphEdge[] = []
  readonly #faults = new Map<string, number>()
  /** By number of the stored state: its number in the graph; and the reverse. */
  readonly #numbers = new Map<number, number>()
  readonly #queue: number[] = []
  readonly #most: number

  constructor(engine: Engine, most: number) {
    this.#engine = engine
    this.#most = most
    this.#tracer = new Tracer(engine)
  }

  graph(): StateGraph {
    this.#number(this.#engine.successors.find(this.#engine.initialState()))
    for (const index of this.#queue) this.#expand(index)
    return { states: this.#states, edges: this.#edges }
  }

  #number(index: number): number {
    const known = this.#numbers.get(index)
    if (known !== undefined) return known
    if (this.#numbers.size >= this.#most) return -1
    const made = this.#states.push({ kind: 'inner', label: '' }) - 1
    this.#numbers.set(index, made)
    this.#queue.push(index)
    return made
  }

  #expand(index: number): void {
    const { store, successors, system, table, locals } = this.#engine
    const words = store.at(index)
    const from = this.#number(index)
    const steps = successors.stepsOf(words)
    const leaves = system.actors.map(({ id }) => steps.of(id).slice())
    let isOpen = false
    for (const { id, title } of system.actors) {
      for (const leaf of leaves[id] as Int32Array) {
        const outcome = (table.words[leaf] as number) & OUTCOME
        if (outcome === BLOCKED) continue
        isOpen = true
        const to = outcome === FAULT ? this.#fault(table.fault(id, words, leaf)) : this.#target(words, id, leaf)
        if (to >= 0)
          this.#edges.push({
            from,
            to,
            label: `${title}: ${this.#tracer.summary(words, id, leafChoices(table.words, leaf))}`,
          })
      }
    }
    if (isOpen) return
    const hasEnded = system.actors.every(({ id }) => locals.hasFinished(words, id))
    this.#states[from] = { kind: hasEnded ? 'end' : 'stuck', label: '' }
  }

  #target(words: Int32Array, actor: number, leaf: number): number {
    const { successors } = this.#engine
    const next = words.slice()
    successors.apply(leaf, actor, next)
    const index = successors.find(next)
    return index < 0 ? -1 : this.#number(index)
  }

  #fault({ kind, message }: { readonly kind: string; readonly message: string }): number {
    const label = `${kind}: ${message}`
    const known = this.#faults.get(label) ?? this.#states.push({ kind: 'fault', label }) - 1
    this.#faults.set(label, known)
    return known
  }
}
