import yargs, { type CommandModule } from 'yargs'
import { Refusal } from '../source/refusal.ts'
import { cleaned } from '../source/texts.ts'
import { suggestion } from '../source/suggestion.ts'
import { type CommandTerminal, type Terminal, commandTerminal } from './process/terminal.ts'
import { UsageError } from '../source/usage-error.ts'
import { version } from '../installation.ts'

/** One line on standard error, and the status for "cannot be carried out". */
function fail(error: unknown, terminal: Terminal): void {
  const line =
    error instanceof Refusal
      ? error.line
      : error instanceof UsageError
        ? error.message
        : `internal error, please report it: ${(error as Error)?.stack ?? String(error)}`
  terminal.err(`vmcheck: ${cleaned(line)}\n`)
  process.exitCode = 2
}

/** Every command by its name, in the order of the help; loaded when it is named, for a process that loads all takes a third longer to start. */
const COMMANDS = {
  explore: async (terminal: Terminal) => (await import('./explore.ts')).exploreCommand(terminal),
  run: async (terminal: Terminal) => (await import('./run.ts')).runCommand(terminal),
  replay: async (terminal: Terminal) => (await import('./replay.ts')).replayCommand(terminal),
  gate: async (terminal: Terminal) => (await import('./gate.ts')).gateCommand(terminal),
  show: async (terminal: Terminal) => (await import('./show.ts')).showCommand(terminal),
  list: async (terminal: Terminal) => (await import('./list.ts')).listCommand(terminal),
  init: async (terminal: Terminal) => (await import('./init.ts')).initCommand(terminal),
  graph: async (terminal: Terminal) => (await import('./graph.ts')).graphCommand(terminal),
} as const

/** The command that the line begins with, or all of them where it begins with something else. */
async function commands(line: readonly string[], terminal: Terminal): Promise<readonly CommandModule[]> {
  const names = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]
  const named = names.filter((name) => name === line[0])
  return Promise.all(
    (named.length > 0 ? named : names).map(async (name) => (await COMMANDS[name](terminal)) as CommandModule),
  )
}

/** Parses the command line and runs the command it names. */
async function run(terminal: CommandTerminal): Promise<void> {
  const [word, ...others] = terminal.line
  const line = word === 'help' ? [...others, '--help'] : [...terminal.line]
  const parser = yargs(line)
    .scriptName('vmcheck')
    .version(version())
    .alias('help', 'h')
    .usage('$0 <command>\n\nModel checker for the concurrency of kernel virtual memory.')
  const [first = ''] = line
  if (/^\w/.test(first) && !Object.hasOwn(COMMANDS, first) && first !== 'completion')
    throw new UsageError(unknownCommand(first))
  for (const command of await commands(line, terminal)) parser.command(command)
  if (line.length === 0) {
    terminal.err(`${await parser.wrap(Math.min(100, terminal.width)).getHelp()}\n`)
    throw new UsageError('name a command')
  }
  const understood = parser
    .demandCommand(1, 'name a command; vmcheck --help lists them')
    .strict()
    .completion('completion', 'print a completion script for the shell')
    .parserConfiguration({ 'boolean-negation': false })
    .wrap(Math.min(100, terminal.width))
    .exitProcess(false)
    .fail((message, error) => {
      if (error instanceof UsageError || error instanceof Refusal) throw error
      throw message || error?.name === 'YError' ? new NotUnderstood(message || error.message) : error
    })
  try {
    await understood.parseAsync()
  } catch (error) {
    throw error instanceof NotUnderstood ? new UsageError(await advice(line, error.message, terminal)) : error
  }
}

/** A command line that yargs does not understand, in its words. */
class NotUnderstood extends Error {}

function unknownCommand(name: string): string {
  const known = Object.keys(COMMANDS)
  return `unknown command ${name}; there are ${known.join(', ')}${suggestion(name, known)}`
}

/** What is wrong with a command line, and what was probably meant. */
async function advice(line: readonly string[], problem: string, terminal: CommandTerminal): Promise<string> {
  const [command = ''] = line
  const isCommand = Object.hasOwn(COMMANDS, command)
  const help = isCommand ? `vmcheck ${command} --help` : 'vmcheck --help'
  const [, unknown] = /^Unknown arguments?: ([^,\s]+)/.exec(problem) ?? []
  if (!isCommand && unknown !== undefined) return unknownCommand(command)
  const [, option = '', given = '', choices = ''] =
    /Argument: (\S+), Given: "(.*)", Choices: (.*)/.exec(problem.replaceAll('\n', ' ')) ?? []
  const words = [...choices.matchAll(/"([^"]*)"/g)].map(([, word]) => word as string)
  if (words.length > 0)
    return `--${option} takes ${words.join(', ')}, and not ${given}${suggestion(given, words)} (${help} shows how)`
  if (problem.startsWith('Not enough non-option arguments'))
    return `${command}: name ${command === 'replay' || command === 'show' ? 'a report' : 'a model'} (${help} shows how)`
  if (unknown === undefined) return `${problem.replaceAll('\n', ' ')} (${help} shows how)`
  const text = await yargs([command])
    .command((await COMMANDS[command as keyof typeof COMMANDS](terminal)) as CommandModule)
    .getHelp()
  const options = [...text.matchAll(/--[a-z][a-z-]*/g)].map(([option]) => option)
  return `unknown option --${unknown}${suggestion(`--${unknown}`, options)} (${help} shows all)`
}

/** Runs the command to its end, and says what its status is. */
async function main(): Promise<void> {
  const terminal = commandTerminal()
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error) => fail(error, terminal))
  try {
    await run(terminal)
  } catch (error) {
    fail(error, terminal)
  }
  terminal.done(Number(process.exitCode ?? 0))
}

await main()
