import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { DamagedReport, readReports } from '../report/read.ts'
import type { Report } from '../report/report.ts'
import type { Environment } from './environment.ts'
import { UsageError } from '../source/usage-error.ts'

/**
 * The reports in a file; at least one.
 *
 * @param path `-`: standard input
 * @throws UsageError for a file that cannot be read or holds none
 */
export async function savedReports(path: string, { cwd, input }: Environment): Promise<Report[]> {
  const text = await (path === '-' ? readAll(input()) : readFile(resolve(cwd, path), 'utf8')).catch(
    (error: NodeJS.ErrnoException) => {
      throw new UsageError(
        error.code === 'ENOENT' ? `no such file: ${path}` : `${path}: cannot be read: ${error.message}`,
      )
    },
  )
  try {
    return readReports(text)
  } catch (error) {
    if (error instanceof DamagedReport && /\.[cm]?[jt]s$/.test(path))
      throw new UsageError(`${path} is a model, not a report: explore it, or replay it with --schedule`)
    if (error instanceof DamagedReport)
      throw new UsageError(`${path}: not a report, or a damaged one: ${error.message}`)
    throw error
  }
}
