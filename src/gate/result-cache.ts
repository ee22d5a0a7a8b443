import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Report } from '../report/report.ts'

/** What a result depends on, as one text each. */
export interface ResultKey {
  /** Of vmcheck itself: its version and its own files. */
  readonly tool: string
  /** Of the model's files. */
  readonly digest: string
  readonly file: string
  readonly scenario: string
  /** How it was searched. */
  readonly search: string
}

/** Results of earlier runs in a folder, a file each: those of this very version of vmcheck and of the model as it is. */
export class ResultCache {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The report kept, or null; a damaged one is none. */
  async get(key: ResultKey): Promise<Report | null> {
    try {
      const kept = JSON.parse(await readFile(this.#path(key), 'utf8')) as {
        key: ResultKey
        report: Report
        digest: string
      }
      // the digest is of what this very build has written: its form needs no check
      const isWhole = JSON.stringify(kept.key) === JSON.stringify(key) && kept.digest === digestOf(key, kept.report)
      return isWhole ? kept.report : null
    } catch {
      return null
    }
  }

  /** Caches a report. If that fails, the next run explores again. */
  async put(key: ResultKey, report: Report): Promise<void> {
    const path = this.#path(key)
    try {
      await mkdir(this.#folder, { recursive: true })
      await writeFile(`${path}.${process.pid}.tmp`, JSON.stringify({ key, report, digest: digestOf(key, report) }))
      await rename(`${path}.${process.pid}.tmp`, path)
    } catch {
      // a cache that cannot be written is an empty one
    }
  }

  #path(key: ResultKey): string {
    return join(this.#folder, `${createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 40)}.json`)
  }
}

/** Of a result and what it depends on: one that was edited is none. */
function digestOf(key: ResultKey, report: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([key, report]))
    .digest('hex')
}
