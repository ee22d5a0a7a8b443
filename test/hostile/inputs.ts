// One hostile input by its number: files that stand in a folder, and the commands that are given to them.
import type { RandomSource } from '../../src/semantics/random-source.ts'
import { mutateCode, mutateJson, mutateText, oneOf } from './mutate.ts'

/** Files and reports that are known to be right: what inputs are made from. */
export interface Sound {
  /** Texts of models that stand alone. */
  readonly models: readonly string[]
  /** Reports of `model.ts` as each of them. */
  readonly reports: readonly { readonly model: string; readonly json: string; readonly schedule: string | null }[]
  /** Files of a checkpoint of {@link CHECKPOINTED}, by name. */
  readonly checkpoint: ReadonlyMap<string, Buffer>
  readonly baseline: string
}

/** A folder's files and the command line that is run in it. */
export interface Input {
  readonly kind: Kind
  readonly files: Readonly<Record<string, string | Buffer>>
  readonly line: readonly string[]
  readonly stdin?: string
  /** Statuses that it may end with; all from 0 to 3 where not given. */
  readonly may?: readonly number[]
}

/** A search of 4^6 states that takes many levels, and finds its violation at the end. */
export const CHECKPOINTED = `import { model, pause, struct, u4 } from 'vmcheck'
const S = struct('s', { v: u4 })
export default model({ title: 'counters', machine(m) {
  const s = m.array(S, 4, 's')
  for (const [i, one] of [...s].entries()) m.thread(function* counter() { while (one.v < 9) { yield* pause(); one.v++ } }, { name: 'counter' + i })
  m.always('all are not full', () => [...s].some(({ v }) => v < 9))
} })
`

const CONFIG = `import { defineConfig } from 'vmcheck/config'
export default defineConfig({ paths: ['models'], search: { time: 5, memory: '300MB' }, overrides: [{ match: 'models/model.ts#*', workers: 1 }], time: 8, baseline: 'base.json' })
`

const OPTIONS = [
  '--time',
  '--max-states',
  '--max-depth',
  '--memory',
  '--workers',
  '--seed',
  '--runs',
  '--strategy',
  '--reduce',
  '--granularity',
  '--check',
  '--no-check',
  '--set',
  '--scenario',
  '--report',
  '--preemptions',
  '--json',
  '--quiet',
  '--all',
  '--keep-going',
  '--explain',
  '--profile',
  '--violation',
  '--schedule',
  '--rounds',
  '--changed-since',
  '--baseline',
  '--update',
  '--junit',
  '--cache',
  '--checkpoint',
  '--resume',
  '--depth',
  '-h',
  '--version',
  '--',
  '-',
]
const WORDS = [
  'model.ts',
  'models',
  '.',
  '..',
  '',
  '0',
  '-1',
  '1',
  '1e9',
  'NaN',
  'bfs',
  'dfs',
  'dpor',
  'random',
  'pct',
  'none',
  'symmetry',
  'por',
  'all',
  'step',
  'access',
  'x=1',
  '=',
  'x',
  'report.json',
  'missing.json',
  'out.xml',
  'out.html',
  '/proc/self/mem',
  '\u001B[31m',
  '$(id)',
  "'; ls",
  'v1:',
  'v1:0x3',
  'stuck',
  '5s',
  '2GB',
  '__proto__',
  'HEAD',
]
const COMMANDS = ['explore', 'run', 'replay', 'gate', 'show', 'list', 'graph', 'init', 'completion', 'explroe', '']

const BOUNDS = ['--time', '4', '--max-states', '20000', '--workers', '1'] as const

const MAKERS = {
  model: (random, sound) => ({
    files: { 'model.ts': mutateCode(oneOf(random, sound.models), random) },
    line: [
      'explore',
      'model.ts',
      ...BOUNDS,
      ...oneOf(random, [[], ['--granularity', 'access'], ['--keep-going'], ['--json'], ['--all'], ['--reduce', 'all']]),
    ],
  }),
  live: (random, sound) => ({
    files: { 'model.ts': mutateCode(oneOf(random, sound.models), random) },
    line: ['run', 'model.ts', '--rounds', '3', '--time', '2'],
  }),
  report: (random, sound) => {
    const { model, json } = oneOf(random, sound.reports)
    return {
      files: { 'model.ts': model, 'report.json': mutateJson(json, random) },
      line: oneOf(random, [
        ['show', 'report.json'],
        [
          'show',
          'report.json',
          '--report',
          oneOf(random, ['o.html', 'o.md', 'o.sarif', 'o.xml', 'o.itf.json', 'o.perfetto.json']),
        ],
        ['replay', 'report.json'],
        ['replay', 'report.json', '--force'],
        ['show', 'report.json', '--json'],
      ]),
    }
  },
  pipe: (random, sound) => ({
    files: {},
    line: [oneOf(random, ['show', 'replay']), '-'],
    stdin: mutateText(oneOf(random, sound.reports).json, random),
  }),
  schedule: (random, sound) => {
    const { model, schedule } = oneOf(random, sound.reports)
    return {
      files: { 'model.ts': model },
      line: ['replay', 'model.ts', '--schedule', mutateText(schedule ?? 'v1:0x3,1.0,0', random)],
    }
  },
  checkpoint: (random, sound) => {
    const [name, bytes] = oneOf(random, [...sound.checkpoint])
    const changed = Buffer.from(bytes)
    const at = random.below(Math.max(1, changed.length))
    if (changed.length > 0) changed[at] = (changed[at] as number) ^ (1 << random.below(8))
    const damaged = oneOf(random, [
      changed,
      bytes.subarray(0, at),
      Buffer.concat([bytes, Buffer.from('x')]),
      Buffer.alloc(0),
    ])
    const files = Object.fromEntries(
      [...sound.checkpoint].map(([each, content]) => [`kept/${each}`, each === name ? damaged : content]),
    )
    // whatever a damaged checkpoint comes to, it is not a pass: the search finds a violation
    return {
      files: { 'model.ts': CHECKPOINTED, ...files },
      line: ['explore', 'model.ts', '--resume', 'kept', '--workers', '1'],
      may: [1, 2],
    }
  },
  baseline: (random, sound) => ({
    files: {
      'models/model.ts': oneOf(random, sound.models),
      'vmcheck.baseline.json': mutateJson(sound.baseline, random),
    },
    line: ['gate', '--time', '8', ...oneOf(random, [[], ['--update']])],
  }),
  config: (random, sound) => ({
    files: {
      'models/model.ts': oneOf(random, sound.models),
      'vmcheck.config.ts': mutateCode(CONFIG, random),
      'base.json': sound.baseline,
    },
    line: ['gate', '--time', '8'],
  }),
  arguments: (random, sound) => ({
    files: { 'model.ts': oneOf(random, sound.models), 'report.json': oneOf(random, sound.reports).json },
    line: [
      oneOf(random, COMMANDS),
      ...Array.from({ length: random.below(6) }, () =>
        random.below(2) === 0 ? oneOf(random, OPTIONS) : oneOf(random, WORDS),
      ),
    ],
  }),
} satisfies Record<string, (random: RandomSource, sound: Sound) => Omit<Input, 'kind'>>

/** What is mutated. */
export type Kind = keyof typeof MAKERS

/** How often each kind comes, out of twenty. */
const SHARES: readonly Kind[] = [
  'model',
  'model',
  'model',
  'model',
  'model',
  'model',
  'model',
  'live',
  'report',
  'report',
  'report',
  'pipe',
  'schedule',
  'checkpoint',
  'checkpoint',
  'baseline',
  'config',
  'arguments',
  'arguments',
  'arguments',
]

/** The input that a seed stands for. */
export function inputOf(random: RandomSource, sound: Sound): Input {
  const kind = oneOf(random, SHARES)
  return { kind, ...MAKERS[kind](random, sound) }
}
