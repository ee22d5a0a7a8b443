import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { OWN_FOLDERS, version } from '../installation.ts'

/** What vmcheck is that runs: its version, and a digest of its own files, packed ones too, for a working copy changes without its version. */
export async function buildDigest(): Promise<string> {
  const hash = createHash('sha256')
  for (const folder of OWN_FOLDERS) {
    const names = (await readdir(folder, { recursive: true }).catch(() => [])).filter((name) =>
      /\.[cm]?[jt]s$/.test(name),
    )
    for (const name of names.toSorted()) hash.update(`${name}\0`).update(await readFile(join(folder, name)))
  }
  return `${version()} ${hash.digest('hex').slice(0, 16)}`
}
