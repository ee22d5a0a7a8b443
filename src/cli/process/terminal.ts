import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { Environment } from '../../session/environment.ts'
import { cleaned, cleanedButColours } from '../../source/texts.ts'
import type { FromCommand, Surroundings, ToCommand } from './between.ts'

/** Where a command writes and what it may assume of it, beside what any session knows: read once, at the edge. */
export interface Terminal extends Environment {
  /** Writes results. */
  out(text: string): void
  /** Writes progress and diagnostics. */
  err(text: string): void
  readonly width: number
  readonly colour: boolean
  /** Whether progress may be redrawn on standard error. */
  readonly live: boolean
  /** Where GitHub Actions runs the command; null: it does not. */
  readonly ci: { readonly summary: string | null } | null
}

/** The terminal of a command on the thread that the process started for it. */
export interface CommandTerminal extends Terminal {
  /** The command line, without the program's own name. */
  readonly line: readonly string[]
  /** Says that the command is done. */
  done(status: number): void
}

/**
 * The terminal of the command whose thread this is.
 *
 * @throws Error on any other thread
 */
export function commandTerminal(): CommandTerminal {
  if (parentPort === null) throw new Error('the command runs on a thread of its own')
  const { line, ...known } = workerData as Surroundings
  const port = parentPort
  const say = (message: FromCommand): void => port.postMessage(message)
  const err = (text: string): void => say({ kind: 'err', text: known.live ? text : cleaned(text) })
  const interruption = new Interruption(port, say)
  return {
    ...known,
    line,
    // texts of models are among them
    out: (text) => say({ kind: 'out', text: known.colour ? cleanedButColours(text) : cleaned(text) }),
    err,
    warn: (message) => err(`vmcheck: ${message}\n`),
    onProgress: () => {},
    cwd: process.cwd(),
    signal: interruption.signal,
    interruptible: (body, seconds = Infinity) => interruption.during(body, seconds),
    input: () => {
      say({ kind: 'input' })
      return process.stdin
    },
    done: (status) => say({ kind: 'done', status }),
  }
}

/** Ctrl-C and SIGTERM, as the process hands them on. */
class Interruption {
  readonly #controller = new AbortController()
  readonly #say: (message: FromCommand) => void
  #running = 0

  constructor(port: MessagePort, say: (message: FromCommand) => void) {
    this.#say = say
    port.on('message', (message: ToCommand) => {
      say({ kind: 'heard' })
      if (message === 'interrupt') this.#controller.abort()
    })
    port.unref()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  async during<T>(body: () => Promise<T>, seconds: number): Promise<T> {
    if (this.#running++ === 0) this.#say({ kind: 'interruptible', is: true, seconds })
    try {
      return await body()
    } finally {
      if (--this.#running === 0) this.#say({ kind: 'interruptible', is: false, seconds: Infinity })
    }
  }
}
