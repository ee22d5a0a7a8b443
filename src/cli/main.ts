import yargs, { type CommandModule } from 'yargs'
import { hideBin } from 'yargs/helpers'
import { Refusal } from '../compile/refusal.ts'
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

/** Every command by its name, in the order of the help; loaded when it is named, for a process that loads all takes a third longer to start. */
const COMMANDS = {
  explore: async () => (await import('./explore.ts')).exploreCommand(streams),
  run: async () => (await import('./run.ts')).runCommand(streams),
  replay: async () => (await import('./replay.ts')).replayCommand(streams),
  gate: async () => (await import('./gate.ts')).gateCommand(streams),
  show: async () => (await import('./show.ts')).showCommand(streams),
  list: async () => (await import('./list.ts')).listCommand(streams),
  init: async () => (await import('./init.ts')).initCommand(streams),
  graph: async () => (await import('./graph.ts')).graphCommand(streams),
} as const

/** The command that the line begins with, or all of them where it begins with something else. */
async function commands(line: readonly string[]): Promise<readonly CommandModule[]> {
  const names = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]
  const named = names.filter((name) => name === line[0])
  return Promise.all((named.length > 0 ? named : names).map(async (name) => (await COMMANDS[name]()) as CommandModule))
}

/** Parses the command line and runs the command it names. */
async function main(): Promise<void> {
  const line = hideBin(process.argv)
  const parser = yargs(line)
    .scriptName('vmcheck')
    .version(version())
    .usage('$0 <command>\n\nModel checker for the concurrency of kernel virtual memory.')
  for (const command of await commands(line)) parser.command(command)
  await parser
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
