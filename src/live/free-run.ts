import type { Check, Finding } from '../model/check.ts'
import type { ScheduledStep } from '../trace/schedule.ts'
import { FLAG, STANDING } from './memory/buffers.ts'
import type { Wait } from './driver.ts'
import type { CpuMessage } from './live-cpu.ts'
import type { ActorCount, LiveMachine } from './live-machine.ts'
import { occasionsOf } from './occasions.ts'
import { LiveView } from './live-view.ts'
import { loggedSchedule } from './memory/step-log.ts'

/** How long a free run continues, and how it is watched. */
export interface FreeRunOptions {
  readonly rounds: number
  /** Milliseconds. */
  readonly time: number
  /** Milliseconds between two looks at a standing machine. */
  readonly sampling: number
  /** Milliseconds without any step, or without any change, after which the run is given up. */
  readonly patience: number
  readonly checks: readonly Check[]
  readonly signal: AbortSignal
  readonly progress: (rounds: number, steps: number) => void
  /** Told of the machine where it stands still for a look: raw values by field id. */
  readonly sampled?: (values: Int32Array, live: LiveMachine) => void
}

/** Why a free run ended. */
export type FreeRunEnd = 'found' | 'runs' | 'time' | 'interrupt' | 'stalled' | 'died'

/** What a free run came to. */
export interface FreeRunResult {
  readonly end: FreeRunEnd
  readonly finding: Finding | null
  /** The steps of the last round in the order in which they took effect; null when they were too many to be kept. */
  readonly schedule: readonly ScheduledStep[] | null
  /** Of actors that were blocked when something was found. */
  readonly waits: ReadonlyMap<number, Wait>
  /** What there is to say of a run that stalled, or whose thread died. */
  readonly reason: string
  readonly rounds: number
  readonly seconds: number
  readonly samples: number
  readonly counts: readonly ActorCount[]
}

/** Lets the actors of a live machine run as they please, round after round, and watches them. */
export class FreeRun {
  readonly #live: LiveMachine
  readonly #options: FreeRunOptions
  #started = 0
  #samples = 0
  #finding: Finding | null = null
  #lastTicket = Infinity
  #waits: ReadonlyMap<number, Wait> = new Map()
  #end: FreeRunEnd | null = null
  #reason = ''
  /** What was said of the last round's end. */
  #closed: { readonly isFaulty: boolean } | null = null
  /** Nothing more will happen. */
  #isDone = false
  /** Steps and values when something last changed, and when that was. */
  #moved = { steps: -1, at: 0 }
  #changed = { values: new Int32Array(0), at: 0 }

  constructor(live: LiveMachine, options: FreeRunOptions) {
    this.#live = live
    this.#options = options
  }

  /** Runs to the end; the threads stand then, and are to be closed. */
  async run(): Promise<FreeRunResult> {
    const live = this.#live
    await this.#ready()
    this.#started = performance.now()
    this.#moved.at = this.#changed.at = this.#started
    if (this.#end === null) {
      live.lastRound = this.#options.rounds < 2 ** 31 ? this.#options.rounds : 0
      live.beginRound()
      await this.#watch()
    }
    const seconds = (performance.now() - this.#started) / 1000
    return {
      end: this.#end ?? 'runs',
      finding: this.#finding,
      schedule: loggedSchedule(live.buffers, this.#lastTicket),
      waits: this.#waits,
      reason: this.#reason,
      rounds: live.rounds,
      seconds,
      samples: this.#samples,
      counts: live.machine.actors.map(({ id }) => live.count(id)),
    }
  }

  async #ready(): Promise<void> {
    for (let missing = this.#live.machine.actors.length; missing > 0; missing--) {
      const message = await this.#live.next(this.#options.signal)
      if (!message) return this.#stop('interrupt')
      if (message.tells === 'died') return this.#died(message)
    }
  }

  async #watch(): Promise<void> {
    for (let ticked = performance.now(); !this.#isDone;) {
      const message = await this.#live.next(this.#options.signal, undefined, this.#options.sampling)
      const isDue = !message || performance.now() - ticked > this.#options.sampling
      if (isDue) ticked = performance.now()
      if (isDue) await this.#tick()
      if (!message) continue
      if (message.tells === 'standstill') await this.#look()
      else this.#hear(message)
    }
  }

  /** What a CPU says that ends the run, whatever is being waited for. */
  #hear(message: CpuMessage): void {
    if (message.tells === 'died') this.#died(message)
    else if (message.tells === 'fault' || message.tells === 'found')
      this.#found(message.finding, message.tells === 'fault' ? message.ticket : Infinity)
    else if (message.tells === 'closed') this.#closed = message
    // what one CPU says may come after what another said later
    if (this.#closed && (!this.#closed.isFaulty || this.#finding)) this.#isDone = true
  }

  #stop(end: FreeRunEnd, reason = ''): void {
    this.#end ??= end
    this.#reason = reason
    this.#isDone = true
  }

  #died(message: CpuMessage & { tells: 'died' }): void {
    this.#stop('died', this.#live.deathOf(message))
  }

  #found(finding: Finding, ticket = Infinity): void {
    this.#finding = finding
    this.#lastTicket = ticket
    this.#end = 'found'
  }

  /** Time has passed: is it up, does anything move, and does the machine look well where it stands? */
  async #tick(): Promise<void> {
    const { signal, time, patience, progress } = this.#options
    const now = performance.now()
    const steps = this.#live.machine.actors.reduce((sum, { id }) => sum + this.#live.count(id).steps, 0)
    progress(this.#live.rounds, steps)
    if (signal.aborted) return this.#stop('interrupt')
    if (now - this.#started >= time) return this.#stop('time')
    if (steps !== this.#moved.steps) this.#moved = { steps, at: now }
    if (now - this.#moved.at > patience)
      return this.#stop(
        'stalled',
        `no CPU has taken a step for ${Math.round(patience / 1000)} s, and ${this.#running()}: code that loops without a point, or a machine that is too busy`,
      )
    if (now - this.#changed.at > patience && now - this.#moved.at < patience / 2)
      return this.#stop(
        'stalled',
        `nothing has changed for ${Math.round(patience / 1000)} s, though ${this.#running()}: it repeats a loop${this.#blocked()}`,
      )
    const { roster } = this.#live
    // where no one runs, those who stopped for the last look still sleep: no one will say that they stand
    if (this.#end === null && roster.beginStop() && roster.running === 0) await this.#look()
  }

  #running(): string {
    const names = this.#live.machine.actors
      .filter(({ id }) => ![STANDING.finished, STANDING.blocked].includes(this.#live.roster.standing(id) as 2))
      .map(({ name }) => name)
    return names.length === 0 ? 'none runs' : `${names.join(' and ')} ${names.length === 1 ? 'runs' : 'run'}`
  }

  /** Who was blocked at the last look, and on what. */
  #blocked(): string {
    const { actors } = this.#live.machine
    const parts = [...this.#waits]
      .filter(([actor, { isBlocked }]) => isBlocked && actors[actor]?.mustFinish)
      .map(([actor, { operation, target, heldBy }]) => {
        const held = heldBy.length === 0 ? '' : `, held by ${heldBy.map((id) => actors[id]?.name).join(' and ')}`
        return `; ${actors[actor]?.name} waits: ${`${operation} ${target}`.trim()}${held}`
      })
    return parts.join('')
  }

  /** No one runs: either the machine was stopped for a look, or it hangs. */
  async #look(): Promise<void> {
    const { roster, fields, machine } = this.#live
    const isStopped = (roster.flags & FLAG.stop) !== 0
    if (roster.running > 0 || (!isStopped && !roster.allStand(STANDING.finished, STANDING.blocked))) return // that was before
    if (roster.isBetweenRounds || roster.allStand(STANDING.finished)) return // the last thread is about to begin the next round
    const values = fields.values.slice(0, machine.memory.fields.length)
    const waits = await this.#ask()
    if (!waits) return this.#look() // they stand elsewhere by now
    const view = new LiveView(machine, { values, finished: this.#live.finished, waits })
    const findings = view.findings(
      this.#options.checks,
      occasionsOf(isStopped && !view.terminal ? 'inSample' : 'whereAllStand'),
    )
    this.#samples++
    this.#options.sampled?.(values, this.#live)
    if (values.some((raw, id) => raw !== this.#changed.values[id])) this.#changed = { values, at: performance.now() }
    const finding = this.#isDone || this.#end !== null ? null : findings[0]
    this.#waits = waits
    if (finding) {
      this.#found(finding)
      this.#isDone = true
      return
    }
    if (isStopped) roster.resume()
    if (view.terminal || !isStopped) roster.callOver()
  }

  /** What the blocked actors wait for; null: one of them went on. */
  async #ask(): Promise<Map<number, Wait> | null> {
    const { roster, machine } = this.#live
    const waits = new Map<number, Wait>()
    const blocked = machine.actors.filter(({ id }) => roster.standing(id) === STANDING.blocked)
    let missing = blocked.length
    roster.ask()
    while (missing > 0 && this.#end === null && !this.#isDone) {
      const { signal, sampling, time } = this.#options
      const message = await this.#live.next(signal, undefined, sampling)
      if (!message) {
        if (signal.aborted || performance.now() - this.#started >= time) break
        if (blocked.some(({ id }) => roster.standing(id) !== STANDING.blocked)) return null
        continue
      }
      if (message.tells !== 'wait') {
        this.#hear(message)
        continue
      }
      missing--
      if (message.wait) waits.set(message.from, message.wait)
    }
    roster.askNoMore()
    return waits
  }
}
