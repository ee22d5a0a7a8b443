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
  /** Where GitHub Actions runs the command; null: it does not. */
  readonly ci: { readonly summary: string | null } | null
}

/** The process's own streams; the first Ctrl-C asks for an orderly end, the second ends at once. */
export function processStreams(): Streams {
  const controller = new AbortController()
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
  })
  process.on('SIGTERM', () => controller.abort())
  const columns = process.stdout.columns ?? Number.parseInt(process.env['COLUMNS'] ?? '', 10)
  // a reader that stops early, such as head, is no error
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2))
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    width: Number.isFinite(columns) && columns > 0 ? columns : 100,
    colour: process.stdout.isTTY === true && !process.env['NO_COLOR'],
    live: process.stderr.isTTY === true,
    cwd: process.cwd(),
    cache: cacheFolder(process.env),
    interrupt: controller.signal,
    ci: process.env['GITHUB_ACTIONS'] === 'true' ? { summary: process.env['GITHUB_STEP_SUMMARY'] || null } : null,
  }
}

/**
 * Runs `body`; should a model's code end the process meanwhile, that is no verdict: one line, and status 2.
 */
export async function guardingExit<T>(streams: Streams, body: () => Promise<T>): Promise<T> {
  const guard = (): void => {
    if (streams.interrupt.aborted) return
    streams.err('vmcheck: the process was ended from within before the search was done; nothing is known about the model\n')
    process.exitCode = 2
  }
  process.once('exit', guard)
  try {
    return await body()
  } finally {
    process.removeListener('exit', guard)
  }
}

/** `VMCHECK_CACHE`, `off` for none; else `vmcheck` in the user's folder for such things. */
function cacheFolder({ VMCHECK_CACHE, XDG_CACHE_HOME }: NodeJS.ProcessEnv): string | null {
  if (VMCHECK_CACHE === 'off') return null
  return VMCHECK_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'vmcheck')
}
