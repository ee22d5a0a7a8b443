import type { ScheduledStep } from '../../trace/schedule.ts'
import { ACTOR, type LiveBuffers, actorWords } from './buffers.ts'

/** The steps that one actor took in a round, in its part of the shared log: each its place in the order of all, the number of alternatives taken, and those. */
export class StepLog {
  readonly #words: Int32Array
  readonly #control: Int32Array
  readonly #used: number

  constructor({ logs, control }: LiveBuffers, actor: number) {
    this.#words = new Int32Array(logs[actor] as SharedArrayBuffer)
    this.#control = new Int32Array(control)
    this.#used = actorWords(actor) + ACTOR.log
  }

  /** Forgets the steps of the round before. */
  reset(): void {
    this.#control[this.#used] = 0
  }

  /** A step is done; one for which there is no room is the end of the log. */
  add(ticket: number, choices: readonly number[]): void {
    const used = this.#control[this.#used] as number
    if (used < 0) return
    if (used + 2 + choices.length > this.#words.length) {
      Atomics.store(this.#control, this.#used, -1)
      return
    }
    this.#words[used] = ticket
    this.#words[used + 1] = choices.length
    choices.forEach((choice, i) => {
      this.#words[used + 2 + i] = choice
    })
    Atomics.store(this.#control, this.#used, used + 2 + choices.length)
  }
}

/**
 * The steps of all actors in the order in which they took effect, while no one runs; null when they did not fit the log.
 *
 * @param last place of the last step that matters
 */
export function loggedSchedule({ logs, control }: LiveBuffers, last = Infinity): ScheduledStep[] | null {
  const words = new Int32Array(control)
  const steps: { ticket: number; step: ScheduledStep }[] = []
  for (const [actor, buffer] of logs.entries()) {
    const log = new Int32Array(buffer)
    const used = Atomics.load(words, actorWords(actor) + ACTOR.log)
    if (used < 0) return null
    for (let at = 0; at < used;) {
      const count = log[at + 1] as number
      steps.push({ ticket: log[at] as number, step: { actor, choices: [...log.subarray(at + 2, at + 2 + count)] } })
      at += 2 + count
    }
  }
  return steps
    .filter(({ ticket }) => ticket <= last)
    .toSorted((a, b) => a.ticket - b.ticket)
    .map(({ step }) => step)
}
