import { lstat, readFile, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { CommandModule } from 'yargs'
import { INIT_TEMPLATE, version } from '../installation.ts'
import type { Terminal } from './process/terminal.ts'
import { UsageError } from '../source/usage-error.ts'
import { writeWhole } from '../session/write-whole.ts'

/** `vmcheck init` */
export function initCommand(terminal: Terminal): CommandModule<object, object> {
  return {
    command: 'init',
    describe: 'write a first model with its test and configuration into this folder',
    handler: () => init(terminal),
  }
}

async function init(terminal: Terminal): Promise<void> {
  const all = (await readdir(INIT_TEMPLATE, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(INIT_TEMPLATE.length + 1))
  const isThere = async (file: string): Promise<boolean> =>
    lstat(resolve(terminal.cwd, file)).then(
      () => true,
      () => false,
    )
  const taken: string[] = []
  for (const file of all) if (await isThere(file)) taken.push(file)
  // a package of the user's stays as it is
  const others = ['vmcheck.config.mts', 'vmcheck.config.js', 'vmcheck.config.mjs']
  for (const file of others) if (await isThere(file)) taken.push(file)
  const inTheWay = taken.filter((file) => file !== 'package.json')
  if (inTheWay.length > 0)
    throw new UsageError(`init: there is ${inTheWay.toSorted().join(', ')} already; nothing was written`)
  const files = all.filter((file) => !taken.includes(file)).toSorted()
  for (const file of files)
    await writeWhole(
      file,
      (await readFile(join(INIT_TEMPLATE, file), 'utf8')).replace('VERSION', version()),
      file,
      terminal.cwd,
    )
  const install =
    taken.length > 0 ? 'npm install --save-dev vmcheck\n  npm pkg set scripts.gate="vmcheck gate"' : 'npm install'
  terminal.out(
    `${files.map((file) => `wrote ${file}`).join('\n')}\n\nNext:\n  ${install}\n  npx vmcheck explore models/lock-order.ts\n  npx vmcheck gate\n`,
  )
}
