import { createHash } from 'node:crypto'
import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, extname, isAbsolute, relative, resolve, sep } from 'node:path'
import { TraceMap, originalPositionFor } from '@jridgewell/trace-mapping'
import type { Location, Message, Metafile, Plugin } from 'esbuild'
import { VM, VM_ENTRY, VM_FOLDERS } from '../installation.ts'
import { cacheBundle, cachedBundle } from './cached-bundle.ts'
import { LoweredFiles, digestOf as loweredDigest } from './lowered-files.ts'
import { LIBRARY } from '../source/places.ts'
import { Refusal, type SourcePlace } from '../source/refusal.ts'

/** A model's files as one lowered script. */
export interface Bundle {
  /** CommonJS text. */
  readonly code: string
  /** Source map of `code`, JSON; its sources are named as places are shown. */
  readonly map: string
  /** Hash of the user's files: path from the model's folder and contents, and which file other names than paths stand for. */
  readonly digest: string
  /** The model's path as shown. */
  readonly file: string
  readonly form: BundleForm
}

/** How a model's code is to run: `lowered` into resumable activations, or as it is written. */
export type BundleForm = 'lowered' | 'native'

/**
 * Bundles a model's file with what it imports; in the lowered form every file is lowered on the way.
 *
 * @param cache folder where lowered texts and bundles are cached; null: nowhere
 * @throws Refusal when a file is missing, does not parse, imports what a model may not, or cannot be lowered
 */
export async function bundle(
  path: string,
  folder: string,
  cache: string | null = null,
  form: BundleForm = 'lowered',
): Promise<Bundle> {
  // esbuild follows links: relative paths come out right only from a folder without any
  const cwd = await realpath(folder).catch(() => {
    throw new Refusal(`no such folder: ${folder}`, null)
  })
  const entry = resolve(cwd, path)
  await checkFile(entry, path)
  const shown = (absolute: string): string => showPath(absolute, cwd)
  const found: { refusal: Refusal | null } = { refusal: null }
  const sources = new Map<string, string>()
  const lowered = new Map<string, string>()
  const known = await LoweredFiles.open(cache)
  const cached = await cachedBundle(known, VM, `${form} ${entry}`, cwd)
  if (cached) return { ...cached, form }
  const { build } = await import('esbuild')
  const lowering = async (path: string, source: string): Promise<string> => {
    try {
      const contents = await loweredText(source, shown(path), !isOwn(path), known)
      lowered.set(path, contents)
      return contents
    } catch (error) {
      if (error instanceof Refusal) found.refusal ??= error
      throw error
    }
  }
  try {
    const result = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: 'cjs',
      platform: 'node',
      target: 'esnext',
      sourcemap: 'external',
      outdir: OUT,
      banner: { js: '"use strict";' },
      keepNames: form === 'native',
      logLevel: 'silent',
      absWorkingDir: cwd,
      metafile: true,
      plugins: [
        modules(form, {
          code: (path, source) => {
            if (!isOwn(path)) sources.set(path, source)
            return form === 'native' ? source : lowering(path, source)
          },
          data: (path, source) => sources.set(path, source),
          refuse: (path) =>
            (found.refusal ??= new Refusal(
              `a model cannot import ${shown(path)}: it may import .ts, .mts, .js, .mjs and .json files`,
              { file: shown(entry), line: 1, column: 1 },
            )),
        }),
      ],
    })
    const imports = importsOf(result.metafile, cwd)
    const text = (suffix: string): string => result.outputFiles.find((file) => file.path.endsWith(suffix))?.text ?? ''
    const made = {
      code: text('.js'),
      map: named(text('.js.map'), resolve(cwd, OUT), shown),
      digest: digestOf(sources, imports, dirname(entry)),
      file: shown(entry),
      form,
    }
    // what a name means that is no path, too many files decide
    if (imports.every(({ name }) => isPath(name)))
      await cacheBundle(known, VM, `${form} ${entry}`, cwd, { entry, sources, imports }, made)
    return made
  } catch (error) {
    if (found.refusal) throw found.refusal
    const [first] = (error as { errors?: Message[] }).errors ?? []
    if (!first) throw error
    throw new Refusal(first.text, first.location && originalPlace(first.location, cwd, shown, lowered))
  }
}

/** The bundler names places in lowered text: back to the source, by the text's own map. */
function originalPlace(
  location: Location,
  cwd: string,
  shown: (absolute: string) => string,
  lowered: ReadonlyMap<string, string>,
): SourcePlace {
  const path = resolve(cwd, location.file)
  const [, map] = /sourceMappingURL=data:[^,]*base64,(\S+)\s*$/.exec(lowered.get(path) ?? '') ?? []
  const found =
    map === undefined ? null : originalPositionFor(new TraceMap(Buffer.from(map, 'base64').toString('utf8')), location)
  return { file: shown(path), line: found?.line ?? location.line, column: (found?.column ?? location.column) + 1 }
}

/** The bundle's output folder, which is never written. */
const OUT = 'out'

/** A source map with its sources, which are relative to the output folder, named as places are shown. */
function named(map: string, out: string, shown: (absolute: string) => string): string {
  const parsed = JSON.parse(map) as { sources: string[] }
  return JSON.stringify({ ...parsed, sources: parsed.sources.map((source) => shown(resolve(out, source))) })
}

async function checkFile(entry: string, path: string): Promise<void> {
  const found = await stat(entry).catch(() => null)
  if (!found) throw new Refusal(`no such file: ${path}`, null)
  if (!found.isFile()) throw new Refusal(`${path} is not a file; give a model's .ts, .mts, .js or .mjs file`, null)
  if (!['.ts', '.mts', '.js', '.mjs'].includes(extname(entry)))
    throw new Refusal(`${path}: a model is a .ts, .mts, .js or .mjs file`, null)
}

function showPath(absolute: string, cwd: string): string {
  const vm = VM_FOLDERS.find((folder) => absolute.startsWith(folder + sep))
  if (vm !== undefined) return `${LIBRARY}${relative(vm, absolute).split(sep).join('/')}`
  const near = relative(cwd, absolute)
  if (near.startsWith('..') || isAbsolute(near)) return absolute
  const shown = near.split(sep).join('/')
  return shown.startsWith(LIBRARY) ? `./${shown}` : shown
}

/** Whether a file is the simulated machine's. */
function isOwn(path: string): boolean {
  return path.startsWith(VM + sep)
}

/** An import of the user's files, and the file that it means. */
export interface Import {
  readonly from: string
  readonly name: string
  readonly to: string
}

/** The imports of the user's files, those of the public entries left out. */
function importsOf({ inputs }: Metafile, cwd: string): Import[] {
  return Object.entries(inputs)
    .filter(([path]) => !isOwn(resolve(cwd, path)))
    .flatMap(([path, { imports }]) =>
      imports.map(({ path: to, original = '' }) => ({
        from: resolve(cwd, path),
        name: original,
        to: resolve(cwd, to),
      })),
    )
    .filter(({ name, to }) => name !== 'vmcheck' && name !== '' && !isOwn(to))
}

/** Whether an import's name is a path from the importing file. */
function isPath(name: string): boolean {
  return /^\.{0,2}\//.test(name) || isAbsolute(name)
}

/** What becomes of the files that a model imports. */
interface Reading {
  readonly code: (path: string, source: string) => string | Promise<string>
  readonly data: (path: string, source: string) => void
  readonly refuse: (path: string) => Refusal
}

/** Resolves the public entries, and reads every file. */
function modules(form: BundleForm, { code, data, refuse }: Reading): Plugin {
  return {
    name: 'vmcheck-modules',
    setup(build) {
      build.onResolve({ filter: /^vmcheck$/ }, () => ({ path: 'vmcheck', external: true }))
      build.onResolve({ filter: /^vmcheck\/vm$/ }, () => ({ path: VM_ENTRY }))
      build.onLoad({ filter: /\.(ts|mts|js|mjs)$/ }, async ({ path }) => {
        const contents = await code(path, await readFile(path, 'utf8'))
        return { contents, loader: form === 'native' && path.endsWith('ts') ? 'ts' : 'js' }
      })
      build.onLoad({ filter: /\.json$/ }, async ({ path }) => {
        const contents = await readFile(path, 'utf8')
        data(path, contents)
        return { contents, loader: 'json' }
      })
      build.onLoad({ filter: /.*/ }, ({ path }) => {
        throw refuse(path)
      })
    },
  }
}

/** The lowered text of a file: cached, or made now. */
async function loweredText(source: string, file: string, counted: boolean, known: LoweredFiles): Promise<string> {
  const digest = loweredDigest(source, file, counted)
  const cached = await known.get(digest)
  const contents = cached ?? (await lowerNow(source, file, counted))
  if (cached === null) await known.put(digest, contents)
  return contents
}

/** The lowering and its libraries are loaded only when there is something to lower. */
async function lowerNow(source: string, file: string, counted: boolean): Promise<string> {
  const { lower } = await import('../lower/lower.ts')
  return lower(source, file, counted)
}

function digestOf(sources: ReadonlyMap<string, string>, imports: readonly Import[], folder: string): string {
  const hash = createHash('sha256')
  const shown = (path: string): string => relative(folder, path).split(sep).join('/')
  const files = [...sources].map(([path, source]) => [shown(path), source] as const)
  const meanings = imports.filter(({ name }) => !isPath(name)).map(({ name, to }) => `${name}\0${shown(to)}\0`)
  for (const [path, source] of files.toSorted(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${path}\0${source.length}\0${source}\0`)
  for (const meaning of [...new Set(meanings)].toSorted()) hash.update(meaning)
  return hash.digest('hex')
}
