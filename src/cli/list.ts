import { readdir, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { CommandModule } from 'yargs'
import { type LoadedModel } from '../compile/load.ts'
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
        .positional('paths', { type: 'string', array: true, default: ['models'], describe: 'model files, or folders of them' })
        .option('json', { type: 'boolean', default: false, describe: 'as JSON' }) as never,
    handler: async ({ paths, json }) => {
      const files = (await Promise.all(paths.map((path) => modelFiles(path, streams.cwd)))).flat()
      const models = await Promise.all(files.map((file) => loadModel(file, streams)))
      streams.out(json ? `${JSON.stringify(models.map(entry), null, 2)}\n` : models.map(text).join('\n'))
    },
  }
}

/**
 * The model files that a path names: itself, or those directly in the folder.
 * @throws UsageError for a path that does not exist or a folder without models
 */
export async function modelFiles(path: string, cwd: string): Promise<string[]> {
  const absolute = resolve(cwd, path)
  const found = await stat(absolute).catch(() => null)
  if (!found) throw new UsageError(`no such file or folder: ${path}`)
  if (!found.isDirectory()) return [path]
  const files = (await readdir(absolute)).filter((name) => /\.m?[tj]s$/.test(name) && !/\.d\.m?ts$/.test(name)).toSorted()
  if (files.length === 0) throw new UsageError(`no models in ${path}: a model is a .ts, .mts, .js or .mjs file`)
  return files.map((name) => relative(cwd, join(absolute, name)))
}

function entry({ model, bundle }: LoadedModel): object {
  return {
    file: bundle.file,
    title: model.title,
    params: Object.entries(model.parameters).map(([name, { describe, default: fallback }]) => ({ name, takes: describe, default: fallback })),
    scenarios: [...model.scenarios].map(([name, scenario]) => ({ name, about: scenario.about ?? '', params: scenario.params ?? {}, expect: expectedVerdict(scenario.expect) })),
  }
}

function text({ model, bundle }: LoadedModel): string {
  const lines = [`${bundle.file}  ${model.title}`]
  for (const [name, { describe, default: fallback }] of Object.entries(model.parameters)) lines.push(`  --set ${name}=${describe}  [${String(fallback)}]`)
  const width = Math.max(0, ...[...model.scenarios.keys()].map(({ length }) => length))
  for (const [name, scenario] of model.scenarios) {
    lines.push(`  ${name.padEnd(width)}  ${expectedVerdict(scenario.expect).padEnd(14)}${scenario.about ?? ''}`.trimEnd())
  }
  return `${lines.join('\n')}\n`
}

