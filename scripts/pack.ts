// Part of the build: packs the command and its libraries into a few files, for a process that opens hundreds of small
// ones takes twice as long to start. The lowering, which is mostly Babel, is packed for itself, with what V8 makes of it
// when it has lowered a few files. Packs the script of report pages, too.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { PACKED, PAGE_SCRIPT, SOURCES } from '../src/installation.ts'
import { COMPILED_LOWER, PACKED_LOWER, REFUSAL, loadLower } from '../src/lower/packed-lower.ts'

/** Files whose lowering makes V8 compile what lowering needs. */
const TYPICAL = ['wire.ts', 'gnumach/vm-map-pageable.ts', 'gnumach/vm-fault.ts'].map((file) => resolve('models', file))

await rm(PACKED, { recursive: true, force: true })
await build({
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
})
const { lower, script } = loadLower()
for (const file of TYPICAL) lower(await readFile(file, 'utf8'), file, true)
await writeFile(COMPILED_LOWER, script.createCachedData())
await build({
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
  keepNames: true,
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
})
// what runs in the browsers of those who read reports
await build({
  entryPoints: [join(SOURCES, 'report', 'page', 'client.js')],
  outfile: PAGE_SCRIPT,
  bundle: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  logLevel: 'warning',
})
