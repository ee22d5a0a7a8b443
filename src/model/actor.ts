import type { Referable } from './field.ts'
import type { Memory } from './memory.ts'
import type { Program } from './operation.ts'

/** One processor of the simulated machine. Opaque: programs compare it and pass it on. */
export class Cpu {
  readonly name: string
  readonly #index: number

  constructor(index: number) {
    this.#index = index
    this.name = `CPU ${index}`
  }

  /** The CPU's number from 0; reading it distinguishes CPUs that are otherwise interchangeable. */
  get index(): number {
    return this.#index
  }
}

/** What is expected of an actor over its life. */
export interface ActorOptions {
  /** May sleep for ever and need not finish: an idle loop, a pageout daemon. */
  readonly daemon?: boolean
  /** Runs for ever by design: must always be able to move, need not finish. */
  readonly endless?: boolean
}

/** What is scheduled: a thread bound to a CPU. */
export class Actor {
  readonly id: number
  readonly name: string
  readonly cpu: Cpu
  readonly kind = 'thread' as const
  readonly daemon: boolean
  readonly endless: boolean
  readonly program: () => Program<unknown>

  constructor(id: number, name: string, cpu: Cpu, program: () => Program<unknown>, options: ActorOptions) {
    this.id = id
    this.name = name
    this.cpu = cpu
    this.program = program
    this.daemon = options.daemon ?? false
    this.endless = options.endless ?? false
  }

  /** Whether the machine is at rest only once this actor has finished. */
  get mustFinish(): boolean {
    return !this.daemon && !this.endless
  }
}

/** The machine's actors as the target of references: `ref(actors)`. */
export const actors: Referable<Actor> = {
  name: 'actor',
  instances: (memory: Memory) => memory.instancesOf(actors),
}
