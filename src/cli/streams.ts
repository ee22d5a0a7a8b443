import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where a command writes, what it may assume of it, and how it is interrupted: read once, here at the edge. */
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
  /** Runs something long that heeds `interrupt`: only meanwhile does a signal ask for an orderly end. */
  interruptible<T>(body: () => Promise<T>): Promise<T>
  /** Where GitHub Actions runs the command; null: it does not. */
  readonly ci: { readonly summary: string | null } | null
}

/** The process's own streams. */
export function processStreams(): ProcessStreams {
  const interruption = new Interruption()
  const columns = process.stdout.columns ?? Number.parseInt(process.env['COLUMNS'] ?? '', 10)
  const output = new Output()
  return {
    out: (text) => output.write(text),
    err: (text) => void process.stderr.write(text),
    width: Number.isFinite(columns) && columns > 0 ? columns : 100,
    colour: process.stdout.isTTY === true && !process.env['NO_COLOR'],
    live: process.stderr.isTTY === true,
    cwd: process.cwd(),
    cache: cacheFolder(process.env),
    interrupt: interruption.signal,
    interruptible: (body) => interruption.during(body),
    ci: process.env['GITHUB_ACTIONS'] === 'true' ? { summary: process.env['GITHUB_STEP_SUMMARY'] || null } : null,
    ended: () => output.ended(),
  }
}

/** The streams of a command's own process. */
export interface ProcessStreams extends Streams {
  /** Waits until everything is written; what could not be, in words, or null. A reader that stopped early, such as head, is no error. */
  ended(): Promise<string | null>
}

/** Standard output, as long as somebody reads it. */
class Output {
  #problem: string | null = null
  #isClosed = false

  constructor() {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      this.#isClosed = true
      if (error.code !== 'EPIPE') this.#problem = error.message
    })
    // diagnostics that cannot be written change nothing
    process.stderr.on('error', () => {})
  }

  write(text: string): void {
    if (!this.#isClosed) process.stdout.write(text)
  }

  async ended(): Promise<string | null> {
    if (!this.#isClosed) await new Promise<void>((resume) => void process.stdout.write('', () => resume()))
    return this.#problem
  }
}

/**
 * Ctrl-C and SIGTERM. While a search runs, the first asks for an orderly end and the second ends at once; at any other
 * time, also while code of the model keeps the thread busy, the signal itself ends the process.
 */
class Interruption {
  readonly #controller = new AbortController()
  #running = 0
  readonly #onSignal = (name: NodeJS.Signals): void => {
    if (this.#controller.signal.aborted) {
      process.removeListener(name, this.#onSignal)
      process.kill(process.pid, name)
    }
    this.#controller.abort()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  async during<T>(body: () => Promise<T>): Promise<T> {
    if (this.#running++ === 0) for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, this.#onSignal)
    try {
      return await body()
    } finally {
      if (--this.#running === 0) for (const name of ['SIGINT', 'SIGTERM'] as const) process.removeListener(name, this.#onSignal)
    }
  }
}

/** `VMCHECK_CACHE`, `off` for none; else `vmcheck` in the user's folder for such things. */
function cacheFolder({ VMCHECK_CACHE, XDG_CACHE_HOME }: NodeJS.ProcessEnv): string | null {
  if (VMCHECK_CACHE === 'off') return null
  return VMCHECK_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'vmcheck')
}
