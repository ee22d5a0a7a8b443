// Part of the build: packs the command and its libraries into a few files, for a process that opens hundreds of small
// ones takes twice as long to start. What is packed lies as deep as the sources it is made from, so that they find
// what lies beside them. The lowering, which is mostly Babel, is packed for itself, with what V8 makes of it when it has
// lowered a few files. Packs the script of report pages, too.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { COMPILED_LOWER, PACKED_LOWER, REFUSAL, loadLower } from '../compile/packed-lower.ts'

const HERE = dirname(fileURLToPath(import.meta.url))
const PACKED = resolve(HERE, '..', 'packed')

const COMPILE = resolve(HERE, '..', 'compile')
/** Files whose lowering makes V8 compile what lowering needs. */
const TYPICAL = ['wire.ts', 'gnumach/vm-map-pageable.ts', 'gnumach/vm-fault.ts'].map((file) =>
  resolve(HERE, '../../../models', file),
)

await rm(PACKED, { recursive: true, force: true })
await build({
  entryPoints: [join(COMPILE, 'lower.js')],
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
    vmcheck: join(HERE, 'main.js'),
    'command-thread': join(HERE, 'command-thread.js'),
    ...Object.fromEntries(
      ['explorer', 'cpu', 'scenario'].map((name) => [name, resolve(HERE, '../../workers', `${name}.js`)]),
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
        packing.onResolve({ filter: /^\.\/lower\.js$/ }, () => ({ path: join(COMPILE, 'ready-lower.js') })),
    },
  ],
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  logLevel: 'warning',
})
// what runs in the browsers of those who read reports
await build({
  entryPoints: [join(HERE, '..', 'report', 'page', 'client.js')],
  outfile: join(HERE, '..', 'report', 'page', 'client.min.js'),
  bundle: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  logLevel: 'warning',
})
