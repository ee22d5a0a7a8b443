import { createHash } from 'node:crypto'
import { readFile, readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Bundle, Import } from './bundle.ts'
import type { LoweredFiles } from './lowered-files.ts'

/** A bundle as it is cached, with all that it was made from. */
interface CachedBundle {
  /** Digest of each of the user's files. */
  readonly inputs: Readonly<Record<string, string>>
  /** Digest of what else decides which files an import means. */
  readonly surroundings: string
  /** Paths as they are written, the model's own and those of imports, and the real ones that they lead to. */
  readonly links: Readonly<Record<string, string>>
  readonly bundle: Bundle
}

function digest(...parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}\0${part}\0`)
  return hash.digest('hex')
}

/** The cached bundle of a model, if it would come out the same now; else null. */
export async function cachedBundle(
  files: LoweredFiles,
  vm: string,
  entry: string,
  cwd: string,
): Promise<Bundle | null> {
  const text = await files.getBundle(digest(entry, cwd))
  if (text === null) return null
  const { inputs, surroundings, links, bundle } = JSON.parse(text) as CachedBundle
  const paths = Object.keys(inputs)
  const [now, ...digests] = await Promise.all([surroundingsOf(paths, vm), ...paths.map(digestOfFile)])
  const isLinked = await Promise.all(
    Object.entries(links).map(async ([written, real]) => (await realpath(written).catch(() => null)) === real),
  )
  return now === surroundings && isLinked.every(Boolean) && paths.every((path, i) => inputs[path] === digests[i])
    ? bundle
    : null
}

/**
 * Caches a bundle, unless it cannot be told how its imports were found.
 *
 * @param made of: the model's path, texts of the user's files by path, and their imports
 */
export async function cacheBundle(
  files: LoweredFiles,
  vm: string,
  entry: string,
  cwd: string,
  made: { readonly entry: string; readonly sources: ReadonlyMap<string, string>; readonly imports: readonly Import[] },
  bundle: Bundle,
): Promise<void> {
  const { sources, imports } = made
  const links = await linksOf(made.entry, imports)
  if (!links) return
  const inputs = Object.fromEntries([...sources].map(([path, source]) => [path, digest(source)]))
  const cached: CachedBundle = { inputs, surroundings: await surroundingsOf([...sources.keys()], vm), links, bundle }
  await files.putBundle(digest(entry, cwd), JSON.stringify(cached))
}

/** What an import may leave out, or call otherwise than the file is called. */
const ENDINGS = [
  '',
  '.ts',
  '.js',
  '.mts',
  '.mjs',
  '.json',
  '/index.ts',
  '/index.js',
  '/index.mts',
  '/index.mjs',
  '/index.json',
]

async function linksOf(entry: string, imports: readonly Import[]): Promise<Record<string, string> | null> {
  const links: Record<string, string> = { [entry]: await realpath(entry) }
  for (const { from, name, to } of imports) {
    const path = resolve(dirname(from), name)
    const candidates = [...ENDINGS.map((ending) => path + ending), path.replace(/\.(m?)js$/, '.$1ts')]
    const written = await firstAsync(
      candidates,
      async (candidate) => (await realpath(candidate).catch(() => null)) === to,
    )
    if (written === undefined) return null
    links[written] = to
  }
  return links
}

async function firstAsync<T>(list: readonly T[], is: (item: T) => Promise<boolean>): Promise<T | undefined> {
  for (const item of list) if (await is(item)) return item
  return undefined
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
  const settings = [...above]
    .toSorted()
    .flatMap((folder) => [join(folder, 'tsconfig.json'), join(folder, 'package.json')])
  const names = await Promise.all(
    [...folders, vm].map(async (folder) => (await readdir(folder).catch(() => [])).toSorted()),
  )
  const machine = (names.at(-1) ?? []).map((name) => join(vm, name))
  const stamps = await Promise.all([...settings, ...machine].map(stampOf))
  return digest(...names.flat(), ...stamps)
}

async function stampOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  return found ? `${path} ${found.size} ${found.mtimeMs}` : ''
}
