// Part of the build: packs the command and its libraries into a few files, for a process that opens hundreds of small
// ones takes twice as long to start. The lowering, which is mostly Babel, is packed for itself, with what V8 makes of it
// when it has lowered a few files. Packs the script of report pages, too.
import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Metafile, build } from 'esbuild'
import { PACKED, PAGE_SCRIPT, SOURCES } from '../src/installation.ts'
import { COMPILED_LOWER, PACKED_LOWER, REFUSAL, loadLower } from '../src/lower/packed-lower.ts'

/** Files whose lowering makes V8 compile what lowering needs. */
const TYPICAL = ['wire.ts', 'gnumach/vm-map-pageable.ts', 'gnumach/vm-fault.ts'].map((file) => resolve('models', file))

await rm(PACKED, { recursive: true, force: true })
const lowering = await build({
  entryPoints: [join(SOURCES, 'lower', 'lower.js')],
  outfile: PACKED_LOWER,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  minifyWhitespace: true,
  keepNames: true,
  legalComments: 'linked',
  external: ['@babel/preset-typescript/package.json'],
  plugins: [
    {
      name: 'refusals',
      setup: (packing) => packing.onResolve({ filter: /\/refusal\.js$/ }, () => ({ path: REFUSAL, external: true })),
    },
  ],
  logLevel: 'warning',
  metafile: true,
})
const { lower, script } = loadLower()
for (const file of TYPICAL) lower(await readFile(file, 'utf8'), file, true)
await writeFile(COMPILED_LOWER, script.createCachedData())
const packed = await build({
  entryPoints: {
    vmcheck: join(SOURCES, 'cli', 'process', 'main.js'),
    'command-thread': join(SOURCES, 'cli', 'command-thread.js'),
    ...Object.fromEntries(
      ['explorer', 'cpu', 'scenario'].map((name) => [name, resolve('dist', 'workers', `${name}.js`)]),
    ),
  },
  outdir: PACKED,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifyWhitespace: true,
  legalComments: 'linked',
  // esbuild and Piscina find programs of their own beside them; the preset is not used
  external: ['esbuild', 'piscina', '@babel/preset-typescript/package.json'],
  plugins: [
    {
      name: 'lowering',
      setup: (packing) =>
        packing.onResolve({ filter: /\/lower\/lower\.js$/ }, () => ({
          path: join(SOURCES, 'lower', 'ready-lower.js'),
        })),
    },
  ],
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  logLevel: 'warning',
  metafile: true,
})
// what runs in the browsers of those who read reports
const page = await build({
  entryPoints: [join(SOURCES, 'report', 'page', 'client.js')],
  outfile: PAGE_SCRIPT,
  bundle: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  logLevel: 'warning',
  metafile: true,
})
await writeFile(join(PACKED, 'THIRD-PARTY-LICENSES.txt'), await licences([lowering, packed, page]))

/** The licences of the libraries that are packed: each asks to be kept with copies of its code. */
async function licences(results: readonly { readonly metafile?: Metafile }[]): Promise<string> {
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}))
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []))
  const texts = await Promise.all([...folders].toSorted().map(licence))
  return `The files in this folder contain code of these packages.\n\n${texts.join('\n')}`
}

/** A package's name, version and licence. */
async function licence(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<
    string,
    string
  >
  const file = (await readdir(folder)).find((one) => /^licen[cs]e/i.test(one))
  const text = file === undefined ? `Licence: ${license}` : await readFile(join(folder, file), 'utf8')
  return `---- ${name} ${version}\n\n${text.trim()}\n`
}
