import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { buildMachine } from '../runtime/build.ts'
import { type LoadedModel, load } from '../runtime/load.ts'
import type { Cpu } from '../model/actor.ts'
import type { MachineParts } from '../model/machine-parts.ts'
import type { Granularity } from '../semantics/step-bounds.ts'
import { wordsOf } from '../source/thrown.ts'
import { type Threads, startThreads } from '../threads/threads.ts'
import { ACTOR, CONTROL, type LiveBuffers, STANDING, actorWords, liveBuffers } from './memory/buffers.ts'
import { type CpuMessage, type CpuTask, type Driving, type LiveData, beginRound } from './live-cpu.ts'
import { Roster } from './memory/roster.ts'
import { SharedFields } from './memory/shared-fields.ts'

/** Milliseconds that threads have to come to their end. */
const LAST_WORDS = 500

/** What one actor did in all rounds so far. */
export interface ActorCount {
  readonly steps: number
  readonly blocks: number
}

/** How a live machine is run. */
export interface LiveOptions {
  /** Names of the checks that are on. */
  readonly checks: readonly string[]
  readonly granularity: Granularity
  /** How each actor is driven. */
  readonly driving: (actor: number, machine: MachineParts) => Driving
}

/** A machine whose actors run on worker threads, one each, as seen from the coordinating thread. */
export class LiveMachine {
  readonly machine: MachineParts
  readonly buffers: LiveBuffers
  readonly roster: Roster
  readonly fields: SharedFields
  readonly #control: Int32Array
  readonly #threads: Threads<CpuTask>
  readonly #queue: CpuMessage[] = []
  readonly #ports: MessagePort[] = []
  #arrived: () => void = () => {}
  /** Keeps the process while its threads say nothing: one that dies takes its handles along. */
  readonly #alive = setInterval(() => {}, 1 << 30)

  private constructor(machine: MachineParts, buffers: LiveBuffers, threads: Threads<CpuTask>) {
    this.machine = machine
    this.buffers = buffers
    this.#threads = threads
    this.#control = new Int32Array(buffers.control)
    this.roster = new Roster(buffers.control, machine.actors.length, -1)
    this.fields = new SharedFields(buffers.fields, this.roster, -1)
    this.roster.onStandstill = () => this.#tell({ from: -1, tells: 'standstill' })
  }

  /**
   * Starts the threads; they wait for the first round.
   *
   * @param loaded the model's code as it is written
   * @throws Refusal for a machine that cannot be built
   */
  static async start(
    loaded: LoadedModel,
    params: Readonly<Record<string, unknown>>,
    { checks, granularity, driving }: LiveOptions,
  ): Promise<LiveMachine> {
    const machine = buildMachine(load(loaded.bundle), params)
    const cpus = 1 + Math.max(...machine.actors.flatMap(({ cpus: places }) => places.map((cpu: Cpu) => cpu.index)))
    const buffers = liveBuffers(machine.memory.fields.length, cpus, machine.actors.length)
    const data: LiveData = { bundle: loaded.bundle, params, buffers, checks, granularity }
    const threads = await startThreads<CpuTask>('cpu', machine.actors.length, data)
    const live = new LiveMachine(machine, buffers, threads)
    for (const { id } of machine.actors) live.#run(id, driving(id, machine))
    return live
  }

  /**
   * The next thing of interest that a thread tells; undefined when `signal` says to wait no longer, or none comes.
   *
   * @param patience milliseconds to wait at most
   */
  async next(
    signal: AbortSignal | null,
    isWanted: (message: CpuMessage) => boolean = () => true,
    patience = Infinity,
  ): Promise<CpuMessage | undefined> {
    for (const end = performance.now() + patience; ;) {
      const at = this.#queue.findIndex(isWanted)
      if (at >= 0) return this.#queue.splice(at, 1)[0]
      const left = end - performance.now()
      if (signal?.aborted || left <= 0) return undefined
      await this.#news(signal, left)
    }
  }

  /** Returns when something is told, the signal given, or the time over. */
  async #news(signal: AbortSignal | null, milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#arrived = resolve
      signal?.addEventListener('abort', this.#arrived, { once: true })
      // a timer, and no signal made of a timer and another one: Node 20 collects those while they are waited for
      if (milliseconds < Infinity) timer = setTimeout(resolve, milliseconds)
    })
    clearTimeout(timer)
    signal?.removeEventListener('abort', this.#arrived)
  }

  /** Begins a round from the initial state, while no one runs. */
  beginRound(): void {
    beginRound(this.machine, this.fields, this.roster)
  }

  /** Rounds begun. */
  get rounds(): number {
    return Atomics.load(this.#control, CONTROL.round)
  }

  /** The round after which no further one begins. */
  set lastRound(number: number) {
    Atomics.store(this.#control, CONTROL.limit, number)
  }

  count(actor: number): ActorCount {
    const at = actorWords(actor)
    return {
      steps: Atomics.load(this.#control, at + ACTOR.steps) >>> 0,
      blocks: Atomics.load(this.#control, at + ACTOR.blocks) >>> 0,
    }
  }

  /** What there is to say of a thread that died. */
  deathOf({ from, reason }: CpuMessage & { readonly tells: 'died' }): string {
    return `the thread of ${this.machine.actors[from]?.name} died after ${this.count(from).steps} steps: ${reason}`
  }

  /** Actors whose programs have ended in this round. */
  get finished(): ReadonlySet<number> {
    return new Set(
      this.machine.actors.flatMap(({ id }) => (this.roster.standing(id) === STANDING.finished ? [id] : [])),
    )
  }

  /**
   * Has the threads come to their end, and gives what they say then: by object, operations that took effect there and
   * attempts that were blocked. Threads that do not come to a point say nothing.
   */
  async end(): Promise<ReadonlyMap<string, { readonly performed: number; readonly blocked: number }>> {
    this.roster.callEnd()
    this.fields.releaseAll()
    const sum = new Map<string, { performed: number; blocked: number }>()
    const until = performance.now() + LAST_WORDS
    for (const { id } of this.machine.actors) {
      const last = await this.next(
        null,
        ({ from, tells }) => from === id && (tells === 'traffic' || tells === 'died'),
        until - performance.now(),
      )
      for (const [name, { performed, blocked }] of last?.tells === 'traffic' ? last.traffic : []) {
        const before = sum.get(name) ?? { performed: 0, blocked: 0 }
        sum.set(name, { performed: before.performed + performed, blocked: before.blocked + blocked })
      }
    }
    return sum
  }

  /** Ends the threads, wherever they are. */
  async close(): Promise<void> {
    this.roster.callEnd()
    this.fields.releaseAll()
    for (const port of this.#ports) port.close()
    await this.#threads.destroy()
    clearInterval(this.#alive)
  }

  #run(actor: number, driving: Driving): void {
    const { port1, port2 } = new MessageChannel()
    this.#ports.push(port1)
    port1.on('message', (message: CpuMessage) => this.#tell(message))
    this.#threads.run({ actor, driving, port: port2 }, { transferList: [port2] }).then(
      () => {
        if (!this.roster.isEnding) this.#tell({ from: actor, tells: 'died', reason: 'its thread ended' })
      },
      (error: unknown) =>
        this.#tell({ from: actor, tells: 'died', reason: wordsOf(error).message.split('\n')[0] as string }),
    )
  }

  #tell(message: CpuMessage): void {
    this.#queue.push(message)
    this.#arrived()
  }
}
