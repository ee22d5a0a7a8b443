import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { version } from './version.ts'

const SOURCES = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** What vmcheck is that runs: its version, and a digest of its own files, for a working copy changes without its version. */
export async function buildDigest(): Promise<string> {
  const hash = createHash('sha256')
  for (const folder of [SOURCES, resolve(SOURCES, '..', 'checks')]) {
    const names = (await readdir(folder, { recursive: true }).catch(() => [])).filter(
      (name) => /\.[cm]?[jt]s$/.test(name) && !name.startsWith('packed'),
    )
    for (const name of names.toSorted()) hash.update(`${name}\0`).update(await readFile(join(folder, name)))
  }
  return `${version()} ${hash.digest('hex').slice(0, 16)}`
}
