import { readFile, readdir, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { UsageError } from '../source/usage-error.ts'

/**
 * The model files that a path names: itself, or those in the folder, in folders below only files with a default export.
 * @throws UsageError for a path that does not exist or a folder without models
 */
export async function modelFiles(path: string, cwd: string): Promise<string[]> {
  const absolute = resolve(cwd, path)
  const found = await stat(absolute).catch(() => null)
  if (!found) throw new UsageError(`no such file or folder: ${path}`)
  if (!found.isDirectory()) return [path]
  const files = await filesIn(absolute, false)
  if (files.length === 0) throw new UsageError(`no models in ${path}: a model is a .ts, .mts, .js or .mjs file`)
  return files.map((file) => relative(cwd, file))
}

/** Files that may be models, those of a folder itself before those below. */
async function filesIn(folder: string, isBelow: boolean): Promise<string[]> {
  const listed = await ifThere(readdir(folder, { withFileTypes: true }), folder)
  const entries = (listed ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const names = entries
    .filter((entry) => !entry.isDirectory() && /\.m?[tj]s$/.test(entry.name) && !/\.d\.m?ts$/.test(entry.name))
    .map(({ name }) => join(folder, name))
  const own = isBelow ? await filtered(names, hasDefaultExport) : names
  const below = entries.filter(
    (entry) => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'),
  )
  return [...own, ...(await Promise.all(below.map(({ name }) => filesIn(join(folder, name), true)))).flat()]
}

async function hasDefaultExport(path: string): Promise<boolean> {
  return /\bexport\s+(default\b|\{[^}]*\bdefault\b)/.test((await ifThere(readFile(path, 'utf8'), path)) ?? '')
}

/** What is read; null where it is gone since it was listed. */
async function ifThere<T>(reading: Promise<T>, path: string): Promise<T | null> {
  try {
    return await reading
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'ENOENT') return null
    throw new UsageError(
      `cannot read ${path} (${code ?? String(error)}): make it readable, or name the models themselves`,
    )
  }
}

async function filtered<T>(list: readonly T[], is: (item: T) => Promise<boolean>): Promise<T[]> {
  const found = await Promise.all(list.map(is))
  return list.filter((_, i) => found[i])
}
