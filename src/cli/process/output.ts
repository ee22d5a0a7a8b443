/** Standard output, as long as a process reads it. */
export class Output {
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

  /** Waits until everything is written; what could not be, in words, or null. A reader that stopped early, such as head, is no error. */
  async ended(): Promise<string | null> {
    if (!this.#isClosed) await new Promise<void>((resume) => void process.stdout.write('', () => resume()))
    return this.#problem
  }
}
