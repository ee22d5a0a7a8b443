import { totalmem } from 'node:os'
import type { CommandModule } from 'yargs'
import { renderAut } from '../report/formats/aut.ts'
import { renderDot } from '../report/formats/dot.ts'
import { searchGraph } from '../session/graph.ts'
import { loadModel } from '../session/explore.ts'
import { SHARED } from './options.ts'
import type { Terminal } from './process/terminal.ts'
import { UsageError } from '../source/usage-error.ts'
import { memorySize, whole } from '../session/values.ts'
import { writeWhole } from '../session/write-whole.ts'

interface GraphArguments {
  readonly model: string
  readonly scenario: string | undefined
  readonly set: readonly string[]
  readonly reduce: 'none' | 'symmetry'
  readonly granularity: 'step' | 'access' | undefined
  readonly maxStates: number | undefined
  readonly memory: string | undefined
  readonly output: string | undefined
  readonly format: 'dot' | 'aut' | undefined
}

/** `vmcheck graph MODEL` */
export function graphCommand(terminal: Terminal): CommandModule<object, GraphArguments> {
  return {
    command: 'graph <model>',
    describe: 'write the states of one scenario and the steps between them',
    builder: (yargs) =>
      yargs
        .positional('model', { type: 'string', demandOption: true, describe: 'path of a model (.ts, .mts, .js, .mjs)' })
        .options({
          scenario: { type: 'string', requiresArg: true, describe: 'scenario to explore' },
          set: SHARED.set,
          output: { alias: 'o', type: 'string', describe: 'file to write, .dot or .aut [standard output]' },
          format: {
            choices: ['dot', 'aut'] as const,
            requiresArg: true,
            describe: 'Graphviz, or Aldebaran for mCRL2 and CADP [by the file’s extension, else dot]',
          },
          reduce: {
            choices: ['none', 'symmetry'] as const,
            requiresArg: true,
            default: 'none',
            describe: 'reductions',
          },
          granularity: {
            choices: ['step', 'access'] as const,
            requiresArg: true,
            describe: 'whether plain accesses share steps',
          },
          'max-states': { type: 'number', requiresArg: true, describe: 'write at most this many states' },
          memory: {
            type: 'string',
            requiresArg: true,
            describe: 'budget such as 500MB or 4GB [half of the machine’s]',
          },
        }) as never,
    handler: async (args) => {
      process.exitCode = await run(args, terminal)
    },
  }
}

async function run(args: GraphArguments, terminal: Terminal): Promise<number> {
  const format = formatOf(args)
  const loaded = await loadModel(args.model, terminal)
  const request = {
    scenario: args.scenario ?? null,
    settings: args.set,
    granularity: args.granularity ?? null,
    reduce: args.reduce,
    maxStates: whole('--max-states', args.maxStates, Infinity, 1, Infinity),
    memory: args.memory === undefined ? totalmem() / 2 : memorySize('--memory', args.memory),
  }
  const { graph, stopped, name } = await searchGraph(loaded, request, terminal)
  const text = format === 'dot' ? renderDot(graph, name) : renderAut(graph)
  if (args.output === undefined) terminal.out(text)
  else await writeWhole(args.output, text, `--output ${args.output}`, terminal.cwd)
  terminal.err(
    `${graph.states.length} states, ${graph.edges.length} transitions${stopped ? `; not all of them: ended by ${stopped === 'states' ? '--max-states' : stopped}` : ''}\n`,
  )
  return stopped ? 3 : 0
}

function formatOf({ format, output }: GraphArguments): 'dot' | 'aut' {
  const extension = /\.(dot|gv|aut)$/.exec(output ?? '')?.[1]
  if (format) return format
  if (output !== undefined && extension === undefined)
    throw new UsageError(`--output ${output}: unknown format; the extension may be .dot or .aut, or give --format`)
  return extension === 'aut' ? 'aut' : 'dot'
}
