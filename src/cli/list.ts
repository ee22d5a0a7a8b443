import { readFile, readdir, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { CommandModule } from 'yargs'
import { type LoadedModel } from '../runtime/load.ts'
import { expectedVerdict } from '../model/model.ts'
import { loadModel } from './session.ts'
import type { Streams } from './streams.ts'
import { UsageError } from './usage-error.ts'

interface ListArguments {
  readonly paths: readonly string[]
  readonly json: boolean
}

/** `vmcheck list [PATH...]` */
export function listCommand(streams: Streams): CommandModule<object, ListArguments> {
  return {
    command: 'list [paths..]',
    describe: 'show models, their parameters and scenarios',
    builder: (yargs) =>
      yargs
        .positional('paths', {
          type: 'string',
          array: true,
          default: ['models'],
          describe: 'model files, or folders of them',
        })
        .option('json', { type: 'boolean', default: false, describe: 'as JSON' }) as never,
    handler: async ({ paths, json }) => {
      const files = (await Promise.all(paths.map((path) => modelFiles(path, streams.cwd)))).flat()
      const models = await Promise.all(files.map((file) => loadModel(file, streams)))
      streams.out(json ? `${JSON.stringify(models.map(entry), null, 2)}\n` : models.map(text).join('\n'))
    },
  }
}

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
  const entries = (await readdir(folder, { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1))
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
  return /\bexport\s+(default\b|\{[^}]*\bdefault\b)/.test(await readFile(path, 'utf8'))
}

async function filtered<T>(list: readonly T[], is: (item: T) => Promise<boolean>): Promise<T[]> {
  const found = await Promise.all(list.map(is))
  return list.filter((_, i) => found[i])
}

function entry({ model, bundle }: LoadedModel): object {
  return {
    file: bundle.file,
    title: model.title,
    params: Object.entries(model.parameters).map(([name, { describe, default: fallback }]) => ({
      name,
      takes: describe,
      default: fallback,
    })),
    scenarios: [...model.scenarios].map(([name, scenario]) => ({
      name,
      about: scenario.about ?? '',
      params: scenario.params ?? {},
      expect: expectedVerdict(scenario.expect),
    })),
  }
}

function text({ model, bundle }: LoadedModel): string {
  const lines = [`${bundle.file}  ${model.title}`]
  for (const [name, { describe, default: fallback }] of Object.entries(model.parameters))
    lines.push(`  --set ${name}=${describe}  [${String(fallback)}]`)
  const width = Math.max(0, ...[...model.scenarios.keys()].map(({ length }) => length))
  const verdicts = 2 + Math.max(0, ...[...model.scenarios.values()].map(({ expect }) => expectedVerdict(expect).length))
  for (const [name, scenario] of model.scenarios) {
    lines.push(
      `  ${name.padEnd(width)}  ${expectedVerdict(scenario.expect).padEnd(verdicts)}${scenario.about ?? ''}`.trimEnd(),
    )
  }
  return `${lines.join('\n')}\n`
}
