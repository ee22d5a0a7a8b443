import type { MessagePort } from 'node:worker_threads'
import { buildMachine } from '../runtime/build.ts'
import type { Bundle } from '../bundle/bundle.ts'
import { load } from '../runtime/load.ts'
import type { Check, Finding } from '../model/check.ts'
import type { MachineParts } from '../model/machine-parts.ts'
import type { Fault } from '../model/memory.ts'
import type { Granularity } from '../semantics/step-bounds.ts'
import { CONTROL, FLAG, type LiveBuffers, STANDING } from './memory/buffers.ts'
import { FreeDriver, type Jitter } from './free-driver.ts'
import type { Driver, Wait } from './driver.ts'
import { LiveActor } from './live-actor.ts'
import { LiveView } from './live-view.ts'
import { Roster } from './memory/roster.ts'
import { ScriptDriver, type Told } from './script-driver.ts'
import { SharedFields } from './memory/shared-fields.ts'
import { StepLog } from './memory/step-log.ts'

/** What the threads of a live machine are started with. */
export interface LiveData {
  /** The model's code as it is written. */
  readonly bundle: Bundle
  readonly params: Readonly<Record<string, unknown>>
  readonly buffers: LiveBuffers
  /** Names of the checks that are on. */
  readonly checks: readonly string[]
  readonly granularity: Granularity
}

/** How an actor is driven. */
export type Driving =
  | { readonly by: 'itself'; readonly seed: number; readonly jitter: Jitter | null }
  | {
      readonly by: 'script'
      readonly script: readonly (readonly number[])[]
      readonly halt: number
      readonly haltsAtWrite: boolean
    }

/** What one thread is to do: be a CPU for one actor. */
export interface CpuTask {
  readonly actor: number
  readonly driving: Driving
  readonly port: MessagePort
}

/** What a thread tells the coordinating one. */
export type CpuNews =
  | Told
  | { readonly tells: 'ready' | 'finished' | 'abandoned' }
  /** A step ended in a fault: as the check says that it belongs to or, in a replay, as it is. */
  | { readonly tells: 'fault'; readonly finding: Finding; readonly ticket: number }
  /** Asked what it is blocked on. */
  | { readonly tells: 'wait'; readonly wait: Wait | null }
  /** No one runs any more: all are blocked, or stopped. */
  | { readonly tells: 'standstill' }
  /** A round ended in a state that a check finds fault with. */
  | { readonly tells: 'found'; readonly finding: Finding }
  /** No further round begins; whether a step of the last one ended in a fault, which that actor tells. */
  | { readonly tells: 'closed'; readonly isFaulty: boolean }
  /** The last thing that a thread tells: see {@link LiveActor.traffic}. */
  | {
      readonly tells: 'traffic'
      readonly traffic: readonly (readonly [string, { readonly performed: number; readonly blocked: number }])[]
    }
  | { readonly tells: 'died'; readonly reason: string }

/** The same, with the actor that tells it. */
export type CpuMessage = CpuNews & { readonly from: number }

/** Steps that make up a round of actors none of which has to finish. */
const ENDLESS_ROUND = 1000

/** One thread of a live machine: runs its actor, round after round. */
export class LiveCpu {
  readonly #machine: MachineParts
  readonly #roster: Roster
  readonly #fields: SharedFields
  readonly #control: Int32Array
  readonly #actor: LiveActor
  readonly #task: CpuTask
  readonly #checks: readonly Check[]
  readonly #mustFinish: number
  #round = 0

  constructor(
    { bundle, params, buffers, granularity, checks: wanted }: LiveData,
    task: CpuTask,
    checks: readonly Check[],
  ) {
    const loaded = load(bundle)
    this.#machine = buildMachine(loaded, params)
    this.#task = task
    this.#checks = checks.filter(({ name }) => wanted.includes(name))
    const { actors } = this.#machine
    this.#mustFinish = actors.filter(({ mustFinish }) => mustFinish).length
    this.#control = new Int32Array(buffers.control)
    this.#roster = new Roster(buffers.control, actors.length, task.actor)
    this.#fields = new SharedFields(buffers.fields, this.#roster, task.actor)
    this.#actor = new LiveActor({
      actor: actors[task.actor] as (typeof actors)[number],
      machine: this.#machine,
      sourceMap: loaded.sourceMap,
      granularity,
      fields: this.#fields,
      roster: this.#roster,
      control: this.#control,
      log: new StepLog(buffers, task.actor),
      driver: this.#driver(task.driving),
      seeks: (fault) => this.#checks.some((check) => Boolean(check.fault?.(fault))),
    })
    this.#roster.onAsked = () => this.#tell({ tells: 'wait', wait: this.#actor.look() })
    if (task.driving.by === 'itself') this.#roster.onStandstill = () => this.#stand()
  }

  /** Runs rounds until the threads are to end. */
  run(): void {
    this.#tell({ tells: 'ready' })
    for (let round = this.#roster.awaitRound(0); round !== null; round = this.#roster.awaitRound(round)) {
      this.#round = round
      this.#runRound()
    }
    this.#tell({ tells: 'traffic', traffic: [...this.#actor.traffic] })
  }

  #driver(driving: Driving): Driver {
    if (driving.by === 'itself')
      return new FreeDriver(
        this.#roster,
        driving.seed,
        driving.jitter,
        this.#mustFinish === 0 ? ENDLESS_ROUND : Infinity,
      )
    return new ScriptDriver(
      this.#roster,
      this.#control,
      this.#task.actor,
      driving.script,
      driving.halt,
      driving.haltsAtWrite,
      (told) => this.#tell(told),
    )
  }

  #tell(news: CpuNews): void {
    this.#task.port.postMessage({ ...news, from: this.#task.actor })
  }

  #runRound(): void {
    const ending = this.#actor.run()
    if (this.#task.driving.by === 'script') {
      this.#roster.finish()
      return this.#tell(
        ending.how === 'fault'
          ? { tells: 'fault', finding: ending.fault, ticket: ending.ticket }
          : { tells: ending.how },
      )
    }
    if (ending.how === 'fault') this.#failed(ending.fault, ending.ticket)
    else if (ending.how === 'finished' && this.#isLast()) this.#roster.callOver()
    this.#roster.finish()
  }

  /** A step ended in a fault: one that no check is on for ends the round, and no more. */
  #failed(fault: Fault, ticket: number): void {
    const finding = this.#checks.map((check) => check.fault?.(fault) ?? null).find((found) => found !== null)
    if (Atomics.compareExchange(this.#control, CONTROL.faulty, 0, finding ? 1 : -1) === 0 && finding)
      this.#tell({ tells: 'fault', finding, ticket })
    this.#roster.callOver()
  }

  /** Whether this actor, which has finished, was the last of those that must. */
  #isLast(): boolean {
    return (
      (this.#machine.actors[this.#task.actor]?.mustFinish ?? false) &&
      Atomics.sub(this.#control, CONTROL.remaining, 1) === 1
    )
  }

  /** This thread was the last to come to stand: either the round is over, or the coordinating thread has to look. */
  #stand(): void {
    const { flags } = this.#roster
    if (this.#roster.isEnding) return
    if (this.#roster.allStand(STANDING.finished)) {
      if (this.#roster.mayClose(this.#round)) this.#closeRound()
    } else if ((flags & FLAG.stop) !== 0 || this.#roster.allStand(STANDING.finished, STANDING.blocked))
      this.#tell({ tells: 'standstill' })
  }

  #closeRound(): void {
    const faulty = Atomics.load(this.#control, CONTROL.faulty)
    const finding = faulty === 0 ? this.#found() : null
    if (finding) this.#tell({ tells: 'found', finding })
    const limit = Atomics.load(this.#control, CONTROL.limit)
    if (faulty === 1 || finding || this.#round === limit) return this.#tell({ tells: 'closed', isFaulty: faulty === 1 })
    beginRound(this.#machine, this.#fields, this.#roster)
  }

  /** What is wrong with the state in which all that must finish have. */
  #found(): Finding | null {
    const { actors } = this.#machine
    // a daemon that was called off may have had work left: such rounds come to no rest that could be looked at
    const isWhole = actors.every((actor) => actor.mustFinish || actor.endless)
    const isAtRest = isWhole && this.#mustFinish > 0 && Atomics.load(this.#control, CONTROL.remaining) === 0
    const view = new LiveView(this.#machine, {
      values: this.#fields.values,
      finished: new Set(actors.map(({ id }) => id)),
      waits: new Map(),
    })
    return view.findings(this.#checks, isAtRest ? ['broken', 'rest'] : ['broken'])[0] ?? null
  }
}

/** Begins a round from the initial state, while no one runs. */
export function beginRound({ memory, actors }: MachineParts, fields: SharedFields, roster: Roster): void {
  fields.reset(memory.initial)
  roster.beginRound(actors.filter(({ mustFinish }) => mustFinish).length)
}
