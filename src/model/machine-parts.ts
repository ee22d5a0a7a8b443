import type { Actor } from './actor.ts'
import type { Field } from './field.ts'
import { Memory, setupPort } from './memory.ts'
import { observedLocks } from './observed.ts'
import type { Property } from './property.ts'

/** One of several interchangeable things, with what belongs to it alone. */
export interface Member {
  /** For messages. */
  readonly name: string
  /** The actor that it is, or null for storage. */
  readonly actor: Actor | null
  /** Its own fields; those of other members correspond by position. */
  readonly fields: Field[]
  /** Itself, as programs know it. */
  readonly roots: readonly object[]
}

/** Things that the kernel treats alike: renaming them changes nothing that matters (docs/soundness.md, "Symmetry"). */
export interface Interchangeable {
  /** Its name, in traces and messages. */
  readonly name: string
  /** Whether the model's author says so; else it is only tried: CPUs that run one program. */
  readonly isDeclared: boolean
  /** Its members, in order. */
  readonly members: readonly Member[]
}

/**
 * What a machine is made of, as engines know it. A model gets a {@link Machine}, from which programs cannot come to
 * this: it could replace the port that executes accesses.
 */
export class MachineParts {
  readonly memory: Memory = new Memory()
  readonly actors: Actor[] = []
  readonly properties: Property[] = []
  /** Sets of things that are, or may be, interchangeable. */
  readonly interchangeable: Interchangeable[] = []
  /** Names of locks that properties look at: their operations are steps of their own. */
  readonly observed: Set<string> = new Set()
  #isComplete = false

  constructor() {
    this.memory.port = setupPort(this.memory)
  }

  /** Whether setup has ended. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** Ends setup: what is shared, who runs and what must hold is fixed from here on. */
  complete(): void {
    this.#isComplete = true
    for (const name of observedLocks(this)) this.observed.add(name)
    for (const field of this.memory.fields) Object.freeze(field)
    Object.freeze(this.actors)
  }
}
