import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { Refusal } from '../compile/refusal.ts'
import { exploreCommand } from './explore.ts'
import { gateCommand } from './gate.ts'
import { graphCommand } from './graph.ts'
import { initCommand } from './init.ts'
import { listCommand } from './list.ts'
import { replayCommand } from './replay.ts'
import { runCommand } from './run.ts'
import { showCommand } from './show.ts'
import { processStreams } from './streams.ts'
import { UsageError } from './usage-error.ts'
import { version } from './version.ts'

const streams = processStreams()

/** One line on standard error, and the status for "cannot be carried out". */
function fail(error: unknown): void {
  const line = error instanceof Refusal ? error.line : error instanceof UsageError ? error.message : `internal error, please report it: ${(error as Error)?.stack ?? String(error)}`
  streams.err(`vmcheck: ${line}\n`)
  process.exitCode = 2
}

/** Parses the command line and runs the command it names. */
async function main(): Promise<void> {
  await yargs(hideBin(process.argv))
    .scriptName('vmcheck')
    .version(version())
    .usage('$0 <command>\n\nModel checker for the concurrency of kernel virtual memory.')
    .command(exploreCommand(streams))
    .command(runCommand(streams))
    .command(replayCommand(streams))
    .command(gateCommand(streams))
    .command(showCommand(streams))
    .command(listCommand(streams))
    .command(initCommand(streams))
    .command(graphCommand(streams))
    .demandCommand(1, 'name a command; vmcheck --help lists them')
    .strict()
    .parserConfiguration({ 'boolean-negation': false })
    .wrap(Math.min(100, streams.width))
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new UsageError(`${message} (vmcheck --help shows how)`)
    })
    .parseAsync()
}

await main().catch(fail)
