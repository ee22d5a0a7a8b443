import type { Worker } from 'node:worker_threads'
import type { FromCommand, ToCommand } from './between.ts'

/** Milliseconds that the command's thread has to hear of a signal. */
const MAX_SILENCE_MS = 800
/** Milliseconds that it may be kept busy later on, on its way to an orderly end. */
const MAX_BUSY_MS = 5000
/** Milliseconds until it is asked again whether it still hears. */
const ASK_AGAIN_MS = 200
/** Milliseconds that a command may take beyond its time. */
const GRACE_MS = 3000
/** The longest timer that there is, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Ctrl-C and SIGTERM. While something runs that heeds them, the first asks the command for an orderly end and the second
 * ends at once, as does the first where the command's thread is kept busy by code of the model and hears nothing. At any
 * other time the signal itself ends the process.
 */
export class Signals {
  readonly #thread: Worker
  #heard: NodeJS.Timeout | null = null
  #overdue: NodeJS.Timeout | null = null
  #isAsked = false
  /** Asks once more; null: the thread has not been told anything. */
  #ask: (() => void) | null = null
  readonly #onSignal = (name: NodeJS.Signals): void => {
    if (this.#isAsked) return this.#die(name)
    this.#isAsked = true
    this.#tell('interrupt', 'code of the model', () => this.#die(name))
  }

  constructor(thread: Worker) {
    this.#thread = thread
  }

  /** What the command says of signals. */
  told(message: FromCommand): void {
    if (message.kind === 'heard') this.#wasHeard()
    else if (message.kind === 'interruptible') this.#admit(message)
  }

  #admit({ is, seconds }: FromCommand & { readonly kind: 'interruptible' }): void {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process[is ? 'on' : 'removeListener'](name, this.#onSignal)
    clearTimeout(this.#overdue ?? undefined)
    if (!is) this.end()
    if (is && seconds * 1000 + GRACE_MS < MAX_TIMER_MS)
      this.#overdue = setTimeout(() => this.#late(), seconds * 1000 + GRACE_MS)
  }

  /** The time is over, and the command has not ended: it is kept busy by code of the model. */
  #late(): void {
    this.#tell('overdue', 'the time is over, and code of the model', () => process.exit(3))
  }

  /** Tells the command's thread something; where code of the model keeps it from hearing that, at once or later, the process is ended. */
  #tell(message: ToCommand, busy: string, end: () => void, patience = MAX_SILENCE_MS): void {
    this.#ask = () => this.#tell(message, busy, end, MAX_BUSY_MS)
    this.#thread.postMessage(message)
    clearTimeout(this.#heard ?? undefined)
    this.#heard = setTimeout(() => {
      process.stderr.write(`vmcheck: ${busy} does not come back: ended without a result\n`)
      end()
    }, patience)
  }

  #wasHeard(): void {
    clearTimeout(this.#heard ?? undefined)
    this.#heard = this.#ask && setTimeout(this.#ask, ASK_AGAIN_MS)
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.#ask = null
    clearTimeout(this.#heard ?? undefined)
    clearTimeout(this.#overdue ?? undefined)
  }

  #die(name: NodeJS.Signals): void {
    process.removeListener(name, this.#onSignal)
    process.kill(process.pid, name)
  }
}
