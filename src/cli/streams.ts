import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { cleaned, cleanedButColours } from '../source/texts.ts'
import type { FromCommand, Surroundings, ToCommand } from './between.ts'

/** Where a command writes, what it may assume of it, and how it is interrupted: read once, at the edge. */
export interface Streams {
  /** Results. */
  out(text: string): void
  /** Progress and diagnostics. */
  err(text: string): void
  readonly width: number
  readonly colour: boolean
  /** Whether progress may be redrawn on standard error. */
  readonly live: boolean
  readonly cwd: string
  /** Folder where lowered files are kept from run to run; null: nowhere. */
  readonly cache: string | null
  readonly interrupt: AbortSignal
  /** Runs something long that heeds `interrupt`: only meanwhile does a signal ask for an orderly end. It is to end by itself after some seconds, if given. */
  interruptible<T>(body: () => Promise<T>, seconds?: number): Promise<T>
  /** Standard input. */
  input(): NodeJS.ReadableStream
  /** Where GitHub Actions runs the command; null: it does not. */
  readonly ci: { readonly summary: string | null } | null
}

/** Streams for a search that is no command: nothing is written, and nothing kept. */
export function silentStreams(cwd: string, interrupt: AbortSignal = new AbortController().signal): Streams {
  return {
    out: () => {},
    err: () => {},
    width: 100,
    colour: false,
    live: false,
    cwd,
    cache: null,
    interrupt,
    input: () => process.stdin,
    interruptible: (body) => body(),
    ci: null,
  }
}

/** The streams of a command on the thread that the process started for it. */
export interface CommandStreams extends Streams {
  /** The command line, without the program's own name. */
  readonly line: readonly string[]
  /** Says that the command is done. */
  done(status: number): void
}

/**
 * The streams of the command whose thread this is.
 *
 * @throws Error on any other thread
 */
export function commandStreams(): CommandStreams {
  if (parentPort === null) throw new Error('the command runs on a thread of its own')
  const { line, ...known } = workerData as Surroundings
  const port = parentPort
  const say = (message: FromCommand): void => port.postMessage(message)
  const interruption = new Interruption(port, say)
  return {
    ...known,
    line,
    // texts of models are among them
    out: (text) => say({ kind: 'out', text: known.colour ? cleanedButColours(text) : cleaned(text) }),
    err: (text) => say({ kind: 'err', text: known.live ? text : cleaned(text) }),
    cwd: process.cwd(),
    interrupt: interruption.signal,
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
