import { optionName } from '../session/command-lines.ts'
import { appendFile } from 'node:fs/promises'
import type { CommandModule } from 'yargs'
import { type GateSummary, wasInterrupted } from '../gate/gate-result.ts'
import { annotations } from '../gate/github.ts'
import {
  detailLines,
  driftLines,
  gateJunit,
  gateMarkdown,
  gateSarif,
  resultLine,
  summaryLine,
  wrong,
} from '../gate/renderings.ts'
import { painter } from '../report/formats/terminal.ts'
import { plural } from '../report/numbers.ts'
import { type Recording, gateModels } from '../session/gate/gate.ts'
import { writeWhole } from '../session/write-whole.ts'
import { GateTable } from './gate-table.ts'
import type { Terminal } from './process/terminal.ts'

interface GateArguments {
  readonly paths: readonly string[]
  readonly config: string | undefined
  readonly update: boolean
  readonly baseline: string | undefined
  readonly changedSince: string | undefined
  readonly cache: string | undefined
  readonly time: number | undefined
  readonly workers: number | undefined
  readonly junit: string | undefined
  readonly sarif: string | undefined
  readonly markdown: string | undefined
  readonly quiet: boolean
}

/** `vmcheck gate [PATH...]` */
export function gateCommand(terminal: Terminal): CommandModule<object, GateArguments> {
  return {
    command: 'gate [paths..]',
    describe: 'explore every scenario and compare its result with its expectation',
    builder: (yargs) =>
      yargs
        .positional('paths', { type: 'string', array: true, describe: 'model files, or folders of them [models]' })
        .options({
          config: {
            type: 'string',
            requiresArg: true,
            describe: 'configuration file [vmcheck.config.ts, if there is one]',
          },
          update: { type: 'boolean', default: false, describe: 'record the results in the baseline' },
          baseline: {
            type: 'string',
            requiresArg: true,
            describe: 'file of recorded results [vmcheck.baseline.json, if there is one]',
          },
          'changed-since': {
            type: 'string',
            requiresArg: true,
            describe: 'run only scenarios whose model changed since that git revision',
          },
          cache: {
            type: 'string',
            requiresArg: true,
            describe: 'folder of cached results, used for unchanged models',
          },
          time: {
            type: 'number',
            requiresArg: true,
            describe: 'seconds for all scenarios together; each gets an equal share',
          },
          workers: { type: 'number', requiresArg: true, describe: 'cores to use [those available]' },
          junit: { type: 'string', requiresArg: true, describe: 'write JUnit XML' },
          sarif: { type: 'string', requiresArg: true, describe: 'write SARIF' },
          markdown: { type: 'string', requiresArg: true, describe: 'write Markdown' },
          quiet: { type: 'boolean', default: false, describe: 'print only failures and the summary line' },
        }) as never,
    handler: async (args) => {
      process.exitCode = await run(args, terminal)
    },
  }
}

async function run(args: GateArguments, terminal: Terminal): Promise<number> {
  const outcome = await gateModels(
    args.paths,
    { ...args, resultCache: args.cache },
    terminal,
    (cases) => new GateTable(cases, terminal, args.quiet),
    optionName,
  )
  if (outcome.recording) terminal.out(recorded(outcome.recording))
  show(outcome, terminal)
  await writeFiles(outcome, args, terminal)
  return outcome.status
}

function recorded({ file, changes, isNew }: Recording): string {
  return isNew
    ? `recorded in ${file}: ${plural(changes.length, 'scenario')}\n`
    : `${[...driftLines(changes), `recorded in ${file}: ${changes.length} changed`].join('\n')}\n`
}

function show(summary: GateSummary, terminal: Terminal): void {
  const paint = painter(terminal.colour)
  const bad = wrong(summary.results)
  for (const result of bad.filter((one) => !wasInterrupted(one)))
    terminal.out(`\n${paint('bold', resultLine(result))}\n${detailLines(result).join('\n')}\n`)
  if (summary.drifts.length > 0)
    terminal.out(
      `\n${paint('bold', 'Not as recorded:')}\n${driftLines(summary.drifts)
        .map((line) => `  ${line}`)
        .join('\n')}\n  If this is meant, record it: npx vmcheck gate --update\n`,
    )
  for (const note of summary.notes) terminal.err(`vmcheck: ${note}\n`)
  const isWell = bad.length === 0 && summary.drifts.length === 0
  terminal.out(`${isWell ? '' : '\n'}${paint(['bold', isWell ? 'green' : 'red'], summaryLine(summary))}\n`)
  if (terminal.ci) for (const line of annotations(bad, summary.drifts)) terminal.out(`${line}\n`)
}

async function writeFiles(
  summary: GateSummary,
  { junit, sarif, markdown }: GateArguments,
  terminal: Terminal,
): Promise<void> {
  if (junit !== undefined) await writeWhole(junit, gateJunit(summary, new Date()), `--junit ${junit}`, terminal.cwd)
  if (sarif !== undefined) await writeWhole(sarif, gateSarif(summary), `--sarif ${sarif}`, terminal.cwd)
  if (markdown !== undefined) await writeWhole(markdown, gateMarkdown(summary), `--markdown ${markdown}`, terminal.cwd)
  if (terminal.ci?.summary) {
    await appendFile(terminal.ci.summary, gateMarkdown(summary)).catch((error: Error) =>
      terminal.err(`vmcheck: the job summary cannot be written: ${error.message}\n`),
    )
  }
}
