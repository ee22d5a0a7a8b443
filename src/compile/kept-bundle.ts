import { createHash } from 'node:crypto'
import { readFile, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Bundle } from './bundle.ts'
import type { LoweredFiles } from './lowered-files.ts'

/** A bundle as it is kept from run to run, with all that it was made from. */
interface Kept {
  /** Digest of each of the user's files. */
  readonly inputs: Readonly<Record<string, string>>
  /** Digest of what else decides which files an import means. */
  readonly surroundings: string
  readonly bundle: Bundle
}

function digest(...parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}\0${part}\0`)
  return hash.digest('hex')
}

/** The bundle kept of a model, if it would come out the same now; else null. */
export async function keptBundle(files: LoweredFiles, vm: string, entry: string, cwd: string): Promise<Bundle | null> {
  const text = await files.getBundle(digest(entry, cwd))
  if (text === null) return null
  const { inputs, surroundings, bundle } = JSON.parse(text) as Kept
  const paths = Object.keys(inputs)
  const [now, ...digests] = await Promise.all([surroundingsOf(paths, vm), ...paths.map(digestOfFile)])
  return now === surroundings && paths.every((path, i) => inputs[path] === digests[i]) ? bundle : null
}

/**
 * Keeps a bundle for the next run.
 *
 * @param sources texts of the user's files by path
 */
export async function keepBundle(files: LoweredFiles, vm: string, entry: string, cwd: string, sources: ReadonlyMap<string, string>, bundle: Bundle): Promise<void> {
  const inputs = Object.fromEntries([...sources].map(([path, source]) => [path, digest(source)]))
  const kept: Kept = { inputs, surroundings: await surroundingsOf([...sources.keys()], vm), bundle }
  await files.putBundle(digest(entry, cwd), JSON.stringify(kept))
}

async function digestOfFile(path: string): Promise<string | null> {
  const source = await readFile(path, 'utf8').catch(() => null)
  return source === null ? null : digest(source)
}

/** The names beside the files (a new one may be meant by an import now), settings above them, and the simulated machine. */
async function surroundingsOf(paths: readonly string[], vm: string): Promise<string> {
  const folders = [...new Set(paths.map((path) => dirname(path)))].toSorted()
  const above = new Set<string>()
  for (const folder of folders) for (let at = folder; !above.has(at); at = dirname(at)) above.add(at)
  const settings = [...above].toSorted().flatMap((folder) => [join(folder, 'tsconfig.json'), join(folder, 'package.json')])
  const names = await Promise.all([...folders, vm].map(async (folder) => (await readdir(folder).catch(() => [])).toSorted()))
  const machine = (names.at(-1) ?? []).map((name) => join(vm, name))
  const stamps = await Promise.all([...settings, ...machine].map(stampOf))
  return digest(...names.flat(), ...stamps)
}

async function stampOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  return found ? `${path} ${found.size} ${found.mtimeMs}` : ''
}
