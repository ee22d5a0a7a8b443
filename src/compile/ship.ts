// Part of the build: lowers the simulated machine, whose files every model bundles, and writes them beside the compiled sources.
import { createHash } from 'node:crypto'
import { readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lower } from './lower.ts'
import { SHIPPED, type Shipped, digestOf } from './lowered-files.ts'

const HERE = dirname(fileURLToPath(import.meta.url))
const LIBRARIES = ['@babel/core', '@babel/plugin-transform-regenerator', '@babel/plugin-transform-typescript']

/** Digest of the lowering: its own files, the libraries it uses and the Node that runs them. */
async function keyOfLowering(): Promise<string> {
  const hash = createHash('sha256').update(process.version)
  const require = createRequire(import.meta.url)
  for (const library of LIBRARIES)
    hash.update(`${library} ${(require(`${library}/package.json`) as { version: string }).version}\n`)
  for (const name of (await readdir(HERE)).filter((file) => extname(file) === extname(import.meta.url)).toSorted())
    hash.update(await readFile(join(HERE, name)))
  return hash.digest('hex')
}

const VM = resolve(HERE, '..', 'vm')
const files: Record<string, string> = {}
for (const name of (await readdir(VM)).filter((file) => extname(file) === extname(import.meta.url))) {
  const source = await readFile(join(VM, name), 'utf8')
  const shown = `vmcheck/vm/${name}`
  files[digestOf(source, shown, false)] = lower(source, shown, false)
}
await writeFile(`${SHIPPED}.new`, JSON.stringify({ key: await keyOfLowering(), files } satisfies Shipped))
await rename(`${SHIPPED}.new`, SHIPPED)
