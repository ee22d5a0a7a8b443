import type { CommandModule } from 'yargs'
import { renderJson } from '../report/formats/json.ts'
import { renderTerminal } from '../report/formats/terminal.ts'
import { SHARED } from './options.ts'
import { savedReports } from './saved-reports.ts'
import type { Streams } from './streams.ts'
import { formatOfReport, writeReports } from './write-reports.ts'

interface ShowArguments {
  readonly saved: string
  readonly report: readonly string[]
  readonly json: boolean
}

/** `vmcheck show REPORT` */
export function showCommand(streams: Streams): CommandModule<object, ShowArguments> {
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
      const reports = await savedReports(saved === '' ? '-' : saved, streams)
      const isList = reports.length > 1
      await writeReports(files, reports, isList, streams)
      if (json) streams.out(renderJson(reports, isList))
      else if (files.length === 0)
        streams.out(reports.map((report) => renderTerminal(report, streams)).join(ruler(streams)))
    },
  }
}

/** What stands between two reports. */
export function ruler({ width }: Pick<Streams, 'width'>): string {
  return `\n${'─'.repeat(Math.min(100, width))}\n\n`
}
