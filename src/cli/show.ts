import type { CommandModule } from 'yargs'
import { renderJson } from '../report/formats/json.ts'
import { renderTerminal } from '../report/formats/terminal.ts'
import { SHARED } from './options.ts'
import { savedReports } from '../session/saved-reports.ts'
import type { Terminal } from './process/terminal.ts'
import { formatOfReport, writeReports } from './write-reports.ts'

interface ShowArguments {
  readonly saved: string
  readonly report: readonly string[]
  readonly json: boolean
}

/** `vmcheck show REPORT` */
export function showCommand(terminal: Terminal): CommandModule<object, ShowArguments> {
  return {
    command: 'show <saved>',
    describe: 'print a saved report, or convert it to other formats',
    builder: (yargs) =>
      yargs
        .positional('saved', {
          type: 'string',
          demandOption: true,
          describe: 'a saved report (.json), - for standard input',
        })
        .options({
          report: { ...SHARED.report, describe: `convert: ${SHARED.report.describe}` },
          json: SHARED.json,
        }) as never,
    handler: async ({ saved, report: files, json }) => {
      files.forEach(formatOfReport)
      // the parser makes nothing of a lone hyphen
      const reports = await savedReports(saved === '' ? '-' : saved, terminal)
      const isList = reports.length > 1
      await writeReports(files, reports, isList, terminal)
      if (json) terminal.out(renderJson(reports, isList))
      else if (files.length === 0)
        terminal.out(reports.map((report) => renderTerminal(report, terminal)).join(ruler(terminal)))
    },
  }
}

/** What stands between two reports. */
export function ruler({ width }: Pick<Terminal, 'width'>): string {
  return `\n${'─'.repeat(Math.min(100, width))}\n\n`
}
