import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { UsageError } from '../source/usage-error.ts'

/**
 * Writes a file as a whole or not at all: under a temporary name first.
 *
 * @param what as messages call it
 * @param cwd folder that `file` starts from
 * @throws UsageError when it cannot be written
 */
export async function writeWhole(file: string, text: string, what: string, cwd: string): Promise<void> {
  const path = resolve(cwd, file)
  const temporary = resolve(dirname(path), `.${basename(path)}.${process.pid}.tmp`)
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(temporary, text)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw new UsageError(`${what}: cannot be written: ${(error as Error).message}`)
  }
}
