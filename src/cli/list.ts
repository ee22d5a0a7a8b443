import type { CommandModule } from 'yargs'
import { oneLine } from '../source/texts.ts'
import { type LoadedModel } from '../runtime/load.ts'
import { expectedVerdict, formerNames } from '../model/model.ts'
import { modelFiles } from '../session/model-files.ts'
import { loadModel } from '../session/explore.ts'
import type { Terminal } from './process/terminal.ts'

interface ListArguments {
  readonly paths: readonly string[]
  readonly json: boolean
}

/** `vmcheck list [PATH...]` */
export function listCommand(terminal: Terminal): CommandModule<object, ListArguments> {
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
      const files = (await Promise.all(paths.map((path) => modelFiles(path, terminal.cwd)))).flat()
      const models = await Promise.all(files.map((file) => loadModel(file, terminal)))
      terminal.out(json ? `${JSON.stringify(models.map(entry), null, 2)}\n` : models.map(text).join('\n'))
    },
  }
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
      formerly: formerNames(scenario),
      about: scenario.about ?? '',
      params: scenario.params ?? {},
      expect: expectedVerdict(scenario.expect),
    })),
  }
}

function text({ model, bundle }: LoadedModel): string {
  const lines = [`${bundle.file}  ${oneLine(model.title)}`]
  for (const [name, { describe, default: fallback }] of Object.entries(model.parameters))
    lines.push(`  --set ${name}=${describe}  [${String(fallback)}]`)
  const width = Math.max(0, ...[...model.scenarios.keys()].map(({ length }) => length))
  const verdicts = 2 + Math.max(0, ...[...model.scenarios.values()].map(({ expect }) => expectedVerdict(expect).length))
  for (const [name, scenario] of model.scenarios) {
    lines.push(
      `  ${name.padEnd(width)}  ${expectedVerdict(scenario.expect).padEnd(verdicts)}${oneLine(scenario.about ?? '')}`.trimEnd(),
    )
  }
  return `${lines.join('\n')}\n`
}
