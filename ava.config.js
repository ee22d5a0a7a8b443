import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Tests of one file run one after another, for many take both cores for a while. TESTS names a group of files: two groups
// run beside each other, first and second, then commands and checkpoint; alone run those that fill a small machine with
// threads. Without TESTS all run, one file after another.
const GROUPS = {
  first: [
    'gate/*',
    'session/*',
    'lower/lowering',
    'report/*',
    'cli/show',
    'explore/reductions',
    'explore/spin',
    'explore/symmetry/*',
  ],
  commands: ['cli/commands', 'cli/isolation'],
  checkpoint: ['cli/checkpoint'],
  alone: ['live/live', 'cli/live', 'threads/*'],
}
const ALL = 'dist/test/**/*.test.js'
const of = (names) => names.map((name) => `dist/test/${name}.test.js`)
const FILES = {
  ...Object.fromEntries(Object.entries(GROUPS).map(([group, names]) => [group, of(names)])),
  second: [ALL, ...of(Object.values(GROUPS).flat()).map((file) => `!${file}`)],
}

// The same models are lowered once a run, and not in each of thirty processes.
const CACHE = mkdtempSync(join(tmpdir(), 'vmcheck-tests-'))
process.once('exit', () => rmSync(CACHE, { recursive: true, force: true }))

export default {
  files: FILES[process.env['TESTS']] ?? [ALL],
  timeout: '10m',
  serial: true,
  environmentVariables: { TEST_CACHE: CACHE },
}
