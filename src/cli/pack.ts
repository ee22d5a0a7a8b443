// Part of the build: packs the command and its libraries into a few files, for a process that opens hundreds of small
// ones takes twice as long to start. What is packed lies as deep as the sources it is made from, so that they find
// what lies beside them. Packs the script of report pages, too.
import { rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const HERE = dirname(fileURLToPath(import.meta.url))
const PACKED = resolve(HERE, '..', 'packed')

await rm(PACKED, { recursive: true, force: true })
await build({
  entryPoints: { vmcheck: join(HERE, 'main.js') },
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
  banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" },
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
