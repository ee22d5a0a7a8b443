import { Worker } from 'node:worker_threads'
import { COMMAND_THREAD, usualCache } from '../../installation.ts'
import { cleaned } from '../../source/texts.ts'
import type { FromCommand, Surroundings } from './between.ts'
import { Output } from './output.ts'
import { Signals } from './signals.ts'

/** Milliseconds that files which are kept for the next run have to be written when the command is done. */
const GRACE = 500

/** What the command may know of the process, read once. */
function surroundings(): Surroundings {
  const columns = process.stdout.columns ?? Number.parseInt(process.env['COLUMNS'] ?? '', 10)
  return {
    line: process.argv.slice(2),
    width: Number.isFinite(columns) && columns > 0 ? columns : 100,
    colour: process.stdout.isTTY === true && !process.env['NO_COLOR'],
    live: process.stderr.isTTY === true,
    cache: usualCache(process.env),
    ci: process.env['GITHUB_ACTIONS'] === 'true' ? { summary: process.env['GITHUB_STEP_SUMMARY'] || null } : null,
  }
}

/** The thread that runs the command. What code of a model prints there past the command is a diagnostic. */
function startCommand(): Worker {
  const thread = new Worker(COMMAND_THREAD, {
    workerData: surroundings(),
    stdin: true,
    stdout: true,
    stderr: true,
  })
  for (const stream of [thread.stdout, thread.stderr])
    stream.on('data', (text: Buffer) => void process.stderr.write(cleaned(text.toString())))
  return thread
}

/** Runs the command to its end, whatever becomes of its thread and of its output. */
async function main(): Promise<number> {
  const output = new Output()
  const thread = startCommand()
  const signals = new Signals(thread)
  let failure: string | null = null
  const ended = new Promise<void>((resume) => thread.on('exit', () => resume()))
  thread.on('error', (error: NodeJS.ErrnoException) => {
    failure =
      error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? 'there is no memory left: what the model makes grows without a bound, or NODE_OPTIONS=--max-old-space-size=MEGABYTES is needed'
        : `internal error, please report it: ${error.stack ?? String(error)}`
  })
  const status = await Promise.race([
    ended.then(() => null),
    new Promise<number>((resume) => {
      thread.on('message', (message: FromCommand) => {
        if (message.kind === 'out') output.write(message.text)
        else if (message.kind === 'err') process.stderr.write(message.text)
        else if (message.kind === 'input') process.stdin.pipe(thread.stdin as NodeJS.WritableStream)
        else if (message.kind === 'done') resume(message.status)
        else signals.told(message)
      })
    }),
  ])
  signals.end()
  if (status === null) {
    process.stderr.write(
      `vmcheck: ${cleaned(failure ?? 'model code ended the command before it was done; no result')}\n`,
    )
    return 2
  }
  const problem = await output.ended()
  if (problem !== null) process.stderr.write(`vmcheck: standard output cannot be written: ${problem}\n`)
  await Promise.race([ended, new Promise((resume) => setTimeout(resume, GRACE))])
  return problem === null ? status : 2
}

process.exit(await main())
