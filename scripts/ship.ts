// Part of the build: lowers the simulated machine, whose files every model bundles, and writes them beside the compiled sources.
import { createHash } from 'node:crypto'
import { readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, extname, join } from 'node:path'
import { SHIPPED, SOURCES, VM } from '../src/installation.ts'
import { lower } from '../src/lower/lower.ts'
import { type Shipped, digestOf } from '../src/bundle/lowered-files.ts'

/** Rooms whose code makes a lowered text or a bundle what it is. */
const ROOMS = ['source', 'lower', 'bundle', 'runtime']
const LIBRARIES = ['@babel/core', '@babel/plugin-transform-regenerator', '@babel/plugin-transform-typescript']

/** The code of a folder that runs, in order of name. */
async function codeIn(folder: string): Promise<string[]> {
  return (await readdir(folder))
    .filter((file) => extname(file) === '.js')
    .toSorted()
    .map((file) => join(folder, file))
}

/** Digest of the lowering: its own files, the libraries it uses and the Node that runs them. */
async function keyOfLowering(): Promise<string> {
  const hash = createHash('sha256').update(process.version)
  const require = createRequire(import.meta.url)
  for (const library of LIBRARIES)
    hash.update(`${library} ${(require(`${library}/package.json`) as { version: string }).version}\n`)
  for (const room of ROOMS) for (const path of await codeIn(join(SOURCES, room))) hash.update(await readFile(path))
  return hash.digest('hex')
}

const files: Record<string, string> = {}
for (const path of await codeIn(VM)) {
  const source = await readFile(path, 'utf8')
  const shown = `vmcheck/vm/${basename(path)}`
  files[digestOf(source, shown, false)] = lower(source, shown, false)
}
await writeFile(`${SHIPPED}.new`, JSON.stringify({ key: await keyOfLowering(), files } satisfies Shipped))
await rename(`${SHIPPED}.new`, SHIPPED)
