import { type Placed, type Referable, event, internal, ref, u } from './field.ts'
import { type Instance, type StructType, struct } from './struct.ts'

/** What a CPU asks of the engine that executes the step. */
interface Executing {
  readonly port: {
    choose(n: number, what: string, names: readonly string[], among?: readonly object[]): number
    distinguish?(what: object): void
    handled?(): void
    switched?(what: 'interrupts' | 'preemption', by: 1 | -1): void
  }
}

/** One processor of the simulated machine. Opaque: programs compare it and pass it on. */
export class Cpu {
  /** Its name, in traces and messages. */
  readonly name: string
  /** The actor that runs on it, if several actors share it; null for a CPU that runs one thread. */
  readonly state: Instance<CpuState> | null
  /** Its interrupt handlers; set up with the machine. */
  readonly handlers: { readonly actor: Actor; isDue(): boolean }[] = []
  readonly #index: number
  readonly #memory: Executing

  constructor(index: number, state: Instance<CpuState> | null, memory: Executing) {
    this.#index = index
    this.#memory = memory
    this.state = state
    this.name = `CPU ${index}`
  }

  /** The CPU's number from 0; reading it distinguishes CPUs that are otherwise interchangeable. */
  get index(): number {
    this.#memory.port.distinguish?.(this)
    return this.#index
  }

  /** Inside operations: which of several due interrupts is taken is a choice of the search. */
  pickInterrupt(due: readonly Actor[]): Actor {
    const chosen =
      due.length === 1
        ? 0
        : this.#memory.port.choose(
            due.length,
            `the interrupt taken on ${this.name}`,
            due.map(({ name }) => name),
            due,
          )
    return due[chosen] as Actor
  }

  /** Inside operations of a handler: it ends, and must not leave anything switched off. */
  handled(): void {
    this.#memory.port.handled?.()
  }

  /** Inside operations of a handler, or of the one thread that runs on it: that actor switches something off once more (1), or undoes that (-1). */
  switched(what: 'interrupts' | 'preemption', by: 1 | -1): void {
    this.#memory.port.switched?.(what, by)
  }
}

/** The options of an actor. */
export interface ActorOptions {
  /** May sleep forever and need not finish: an idle loop, a pageout daemon. */
  readonly daemon?: boolean
  /** Runs forever by design: must always be able to move, need not finish. */
  readonly endless?: boolean
  /** Locks that it may still hold when it ends, for others to release. */
  readonly hands?: readonly Lockable[]
}

/** The CPUs that a thread may run on. */
export interface ThreadOptions extends ActorOptions {
  /** The CPU that it shares with others (from `m.cpu()`), or those that it may migrate between. Default: one of its own. */
  readonly on?: Cpu | readonly Cpu[]
}

/** A lock, or something with one inside. */
export type Lockable = { readonly name: string } | { readonly word: { readonly name: string } }

/** Shared words of a CPU that several actors share. */
export interface CpuState {
  /** The thread that has the CPU; null when it is idle. */
  running: Actor | null
  /** The interrupt handler running on it. */
  handler: Actor | null
}

/** Shared words of a thread on such a CPU. */
export interface ThreadState {
  /** Depth of interrupts switched off. */
  interruptsOff: number
  /** Depth of preemption switched off. */
  preemptionOff: number
  /** The CPU it runs on, or ran on last; null before its first step. */
  on: Cpu | null
}

/** What an {@link Actor} is made of. */
interface ActorParts {
  readonly id: number
  readonly name: string
  readonly cpus: readonly Cpu[]
  readonly state: Instance<ThreadState> | null
  readonly kind: 'thread' | 'handler'
  readonly program: () => Generator<unknown, unknown, unknown>
  readonly options: ActorOptions
}

/** A thread of the machine, or an interrupt handler: it takes steps. */
export class Actor {
  /** Its number, from 0 in the order in which actors were made. */
  readonly id: number
  /** Its program's name and its number: `wirer/0`. */
  readonly name: string
  /** The CPU it is bound to; of a thread that may migrate, the first of its CPUs. */
  readonly cpu: Cpu
  /** CPUs that it may run on. */
  readonly cpus: readonly Cpu[]
  /** Its words as a thread of a shared CPU, else null. */
  readonly state: Instance<ThreadState> | null
  /** Whether it is a thread, or handles an interrupt. */
  readonly kind: 'thread' | 'handler'
  /** Whether it may sleep forever. */
  readonly daemon: boolean
  /** Whether it runs forever by design. */
  readonly endless: boolean
  /** Names of the locks that it may still hold when it ends. */
  readonly hands: readonly string[]
  /** The generator function that it runs. */
  readonly program: () => Generator<unknown, unknown, unknown>

  constructor({ id, name, cpus, state, kind, program, options }: ActorParts) {
    this.id = id
    this.name = name
    this.cpu = cpus[0] as Cpu
    this.cpus = cpus
    this.state = state
    this.kind = kind
    this.program = program
    this.daemon = options.daemon ?? false
    this.endless = options.endless ?? false
    this.hands = Object.freeze((options.hands ?? []).map((lock) => ('word' in lock ? lock.word.name : lock.name)))
  }

  /** The CPU that it runs on now, or ran on last. */
  get here(): Cpu {
    return this.state?.on ?? this.cpu
  }

  /** As traces call it: its CPU, where it is alone there. */
  get title(): string {
    return this.cpu.state ? this.name : this.cpu.name
  }

  /** As messages call it: `CPU 0 (names/0)`; its name alone where it may be on several CPUs. */
  get label(): string {
    return this.cpus.length > 1 ? this.name : `${this.cpu.name} (${this.name})`
  }

  /** Whether the machine is at rest only once this actor has finished. */
  get mustFinish(): boolean {
    return !this.daemon && !this.endless
  }
}

/** The machine's actors as the target of references: `ref(actors)`. */
export const actors: Referable<Actor> = Object.freeze({
  name: 'actor',
  instances: (placed: Placed) => placed.instancesOf(actors),
})

/** The machine's CPUs that actors share, as the target of references: `ref(cpus)`. */
export const cpus: Referable<Cpu> = Object.freeze({
  name: 'cpu',
  instances: (placed: Placed) => placed.instancesOf(cpus),
})

/** The struct of {@link CpuState}. */
export const CpuStruct: StructType<CpuState> = struct<CpuState>('cpu', {
  running: internal(ref(actors)),
  handler: internal(ref(actors)),
})

/** The struct of {@link ThreadState}. */
export const ThreadStruct: StructType<ThreadState> = struct<ThreadState>('thread', {
  interruptsOff: internal(u(2)),
  preemptionOff: internal(u(2)),
  on: event(ref(cpus)),
})
