import { Mutex } from 'async-mutex'
import { type ReportFormat, formatOf, knownExtensions } from '../report/formats/formats.ts'
import type { Report } from '../report/report.ts'
import type { Terminal } from './process/terminal.ts'
import { UsageError } from '../source/usage-error.ts'
import { writeWhole } from '../session/write-whole.ts'

/**
 * The format of a report file, by its name.
 * @throws UsageError for an unknown one
 */
export function formatOfReport(file: string): ReportFormat {
  const format = formatOf(file)
  if (!format) throw new UsageError(`--report ${file}: unknown format; the extension may be ${knownExtensions()}`)
  return format
}

/**
 * Writes reports to files, one after the other, each in the format that its extension says.
 *
 * @param isList whether several scenarios were asked for, though it may be one that came
 * @throws UsageError when one cannot be written
 */
export async function writeReports(
  files: readonly string[],
  reports: readonly Report[],
  isList: boolean,
  terminal: Terminal,
): Promise<void> {
  const writing = new Mutex()
  await Promise.all(
    files.map((file) =>
      writing.runExclusive(async () =>
        writeWhole(file, await formatOfReport(file).render(reports, isList), `--report ${file}`, terminal.cwd),
      ),
    ),
  )
}
