import type { Progress } from '../explore/search/search-result.ts'

/** How far a free run is. */
export interface RunProgress {
  readonly rounds: number
  readonly points: number
  readonly seconds: number
}

/** What a session knows of who asks: where files are, how it is ended early, and whom it tells how far it is. */
export interface Environment {
  /** Folder that relative paths start from. */
  readonly cwd: string
  /** Folder where lowered files are cached; null: nowhere. */
  readonly cache: string | null
  /** Aborted: a search ends as soon as it can, with a report of what it has found. */
  readonly signal: AbortSignal
  /** Runs something long that heeds `signal`. It is to end by itself after some seconds, if given. */
  interruptible<T>(body: () => Promise<T>, seconds?: number): Promise<T>
  onProgress(progress: Progress | RunProgress): void
  /** Something went wrong that does not end the session. */
  warn(message: string): void
  /** Standard input, where a report is read from it. */
  input(): NodeJS.ReadableStream
}

/** An environment in which nothing is cached and no one is told anything. */
export function quietEnvironment(cwd: string, given: Partial<Environment> = {}): Environment {
  return {
    cwd,
    cache: null,
    signal: new AbortController().signal,
    interruptible: (body) => body(),
    onProgress: () => {},
    warn: () => {},
    input: () => process.stdin,
    ...given,
  }
}
