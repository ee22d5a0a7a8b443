import { Mutex } from 'async-mutex'
import type { Streams } from './streams.ts'
import { UsageError } from './usage-error.ts'
import { writeWhole } from './write-whole.ts'

/**
 * Whether a report can be written to a file of that name.
 * @throws UsageError for an unknown format
 */
export function checkReportPath(file: string): void {
  if (!file.endsWith('.json')) throw new UsageError(`--report ${file}: unknown format; the extension may be .json`)
}

/**
 * Writes a report to files, one after the other.
 * @throws UsageError when one cannot be written
 */
export async function writeReports(files: readonly string[], json: string, streams: Streams): Promise<void> {
  const writing = new Mutex()
  await Promise.all(files.map((file) => writing.runExclusive(() => writeWhole(file, json, `--report ${file}`, streams))))
}
