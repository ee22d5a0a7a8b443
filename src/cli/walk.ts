import { createInterface } from 'node:readline/promises'
import { checks } from '../../checks/index.ts'
import { followEnd, followStep } from '../live/follow.ts'
import type { LiveMachine } from '../live/live-machine.ts'
import type { Replay } from '../live/replay.ts'
import { showValue } from '../model/memory.ts'
import { painter, renderViolation } from '../report/formats/terminal.ts'
import { shown } from '../trace/narration.ts'
import type { Report } from '../report/report.ts'
import type { TraceStep } from '../trace/trace.ts'
import type { Replayable } from '../session/live/replay.ts'
import type { Terminal } from './process/terminal.ts'

const HELP = 'n or Enter: the next step; b: back by one; s: the state; w: who waits for what; q: leave'

/**
 * Walks through a replay step by step, as the user says; back is by running it again.
 *
 * @returns whether everything was as told, as far as the user went
 */
export async function walk(
  replay: Replay,
  live: LiveMachine,
  replayable: Replayable,
  terminal: Terminal,
): Promise<boolean> {
  const walking = new Walk(replay, live, replayable, terminal)
  await walking.begin()
  // only now: lines that come while no one asks for them are lost
  const lines = createInterface({ input: terminal.input() })
  const ask = (): void => {
    if (terminal.live) terminal.err(walking.prompt)
  }
  const leave = (): void => lines.close()
  terminal.signal.addEventListener('abort', leave)
  try {
    terminal.out(`${HELP}\n`)
    ask()
    for await (const line of lines) {
      const isDone = await walking.do(line.trim())
      if (isDone) break
      ask()
    }
  } finally {
    terminal.signal.removeEventListener('abort', leave)
    lines.close()
  }
  return !walking.hasDiffered
}

class Walk {
  readonly #replay: Replay
  readonly #live: LiveMachine
  readonly #of: Replayable
  readonly #terminal: Terminal
  #at = 0
  #isEnded = false
  hasDiffered = false

  constructor(replay: Replay, live: LiveMachine, replayable: Replayable, terminal: Terminal) {
    this.#replay = replay
    this.#live = live
    this.#of = replayable
    this.#terminal = terminal
  }

  get prompt(): string {
    return `${this.#at}/${this.#of.violation.schedule.length}${this.#isEnded ? ', at the end' : ''}> `
  }

  async begin(): Promise<void> {
    await this.#replay.begin()
    this.#at = 0
    this.#isEnded = false
  }

  /** Does what a line asks for; whether that was to leave. */
  async do(line: string): Promise<boolean> {
    if (line === 'q') return true
    if (line === 'n' || line === '') await this.#next()
    else if (line === 'b') await this.#back()
    else if (line === 's') this.#say(this.#state())
    else if (line === 'w') this.#say(this.#waits())
    else this.#say(HELP)
    return false
  }

  async #next(): Promise<void> {
    const { violation, isTold } = this.#of
    if (this.#at < violation.schedule.length) {
      const { step, what } = await followStep(this.#replay, violation, this.#at)
      if (step) this.#tell(step)
      if (what !== null) this.#differ(what)
      if (step) this.#at++
    } else if (this.#isEnded) this.#say('there is nothing more')
    else {
      this.#isEnded = true
      if (!isTold) return this.#say(this.#waits())
      const { what, waiting, finding } = await followEnd(this.#replay, violation, checks)
      if (what !== null) this.#differ(what)
      else
        this.#say(
          `${finding?.kind}: ${finding?.message}\n${renderViolation({ actors: this.#actors }, { ...violation, steps: [], waiting }, painter(this.#terminal.colour), this.#width)}`.trimEnd(),
        )
    }
  }

  async #back(): Promise<void> {
    const to = this.#isEnded ? this.#at : Math.max(0, this.#at - 1)
    await this.#replay.end()
    await this.begin()
    while (this.#at < to) {
      await followStep(this.#replay, this.#of.violation, this.#at)
      this.#at++
    }
  }

  #differ(what: string): void {
    this.hasDiffered = true
    this.#say(`this differs from what is told: ${what}`)
  }

  #tell(step: TraceStep): void {
    this.#say(
      renderViolation(
        { actors: this.#actors },
        { ...this.#of.violation, steps: [step], waiting: [], accesses: [] },
        painter(this.#terminal.colour),
        this.#width,
        this.#at + 1,
      ),
    )
  }

  /** The shared state: an object a line, with what its fields hold; those that hold nothing are left out. */
  #state(): string {
    const { memory } = this.#live.machine
    const { values } = this.#replay
    const objects = new Map<string, string[]>()
    for (const field of memory.fields) {
      const value = shown(field, values[field.id] as number, memory)
      if (value === null || value === false || value === 0) continue
      const dot = field.name.lastIndexOf('.')
      const [object, key] = dot < 0 ? [field.name, ''] : [field.name.slice(0, dot), field.name.slice(dot + 1)]
      objects.set(object, [...(objects.get(object) ?? []), `${key} ${showValue(value)}`.trim()])
    }
    return (
      [...objects].map(([object, parts]) => `${object}: ${parts.join(', ')}`).join('\n') || 'all fields hold nothing'
    )
  }

  #waits(): string {
    const { actors } = this.#live.machine
    return actors
      .map((actor) => {
        if (this.#replay.isFinished(actor)) return `${actor.title} (${actor.name}) has finished`
        const wait = this.#replay.waitOf(actor)
        if (!wait) return `${actor.title} (${actor.name}) is before plain accesses`
        const what = `${wait.operation} ${wait.target}`.trim()
        const held =
          wait.heldBy.length > 0 && wait.isBlocked
            ? `, held by ${wait.heldBy.map((id) => actors[id]?.title).join(' and ')}`
            : ''
        return `${actor.title} (${actor.name}) ${wait.isBlocked ? 'waits' : 'is before'}: ${what}${held}${wait.at ? ` [${wait.at.file}:${wait.at.line}]` : ''}`
      })
      .join('\n')
  }

  get #actors(): Report['actors'] {
    return this.#live.machine.actors.map(({ id, name, cpu, kind }) => ({ id, name, cpu: cpu.index, kind }))
  }

  get #width(): number {
    return Math.max(40, Math.min(100, this.#terminal.width))
  }

  #say(text: string): void {
    this.#terminal.out(`${text}\n`)
  }
}
