/** A room of the house: a folder, or one file, with what may be imported there. */
export interface Room {
  /** Path from the root; files in folders below it belong to it unless they have a room of their own. */
  readonly path: string
  /** What is in it, in one sentence. */
  readonly holds: string
  /** Rooms that it may import from, types included; all of them earlier in the table. `*`: every earlier one. */
  readonly imports: readonly string[]
  /** Packages that it may import, and modules of Node as `node:*`; without it, any. */
  readonly packages?: readonly string[]
}

const NODE = ['node:*']

const MODEL = ['src/source', 'src/model', 'src/semantics']
/** What explored and live CPUs stand on. */
const GROUND = [...MODEL, 'src/runtime', 'src/trace']

const STATE = [...GROUND, 'src/explore/state']
const STEP = [...STATE, 'src/explore/step']
const TABLE = [...STEP, 'src/explore/symmetry', 'src/explore/table']
const SUCCESSORS = [...TABLE, 'src/explore/store', 'src/explore/successors']
const SEARCH = [...SUCCESSORS, 'src/explore/reductions', 'src/explore/hangs', 'src/explore/search']

/** All rooms, each after those that it imports: where a file may go, and in which direction its imports run. */
export const ROOMS: readonly Room[] = [
  { path: 'src/installation.ts', holds: 'where vmcheck’s own files lie', imports: [], packages: NODE },
  {
    path: 'src/source',
    holds: 'what messages are made of: places in source files, refusals, texts, and what was thrown',
    imports: [],
    packages: [...NODE, 'fastest-levenshtein'],
  },
  {
    path: 'src/model',
    holds: 'what models are written with: fields, structs, pools, operations, actors, properties',
    imports: ['src/source'],
    packages: NODE,
  },
  {
    path: 'src/semantics',
    holds: 'what explored and live CPUs must agree on: where steps end, who runs where, what a fault is',
    imports: ['src/source', 'src/model'],
    packages: NODE,
  },
  { path: 'src/index.ts', holds: 'the public entry `vmcheck`', imports: ['src/model', 'src/semantics'], packages: [] },
  {
    path: 'src/vm',
    holds: 'kernel objects, written with the public entry alone',
    imports: ['src/index.ts'],
    packages: [],
  },
  {
    path: 'checks',
    holds: 'what is looked for in states and steps, one file a check',
    imports: ['src/source', 'src/index.ts'],
    packages: [],
  },
  {
    path: 'src/lower',
    holds: 'generator functions made into resumable activations, by Babel',
    imports: ['src/installation.ts', 'src/source'],
  },
  {
    path: 'src/bundle',
    holds: 'a model’s files made into one lowered script, and cached',
    imports: ['src/installation.ts', 'src/source', 'src/lower'],
    packages: [...NODE, 'esbuild', '@jridgewell/trace-mapping'],
  },
  {
    path: 'src/runtime',
    holds: 'a bundle loaded and its machine built: activations, frozen set-up, places in the source',
    imports: ['src/source', 'src/model', 'src/semantics', 'src/index.ts', 'src/bundle'],
    packages: [...NODE, '@jridgewell/trace-mapping'],
  },
  { path: 'src/config', holds: 'vmcheck.config.ts: its form, and how it is read', imports: ['src/source'] },
  {
    path: 'src/trace',
    holds: 'schedules, steps and violations, as reports hold them',
    imports: MODEL,
    packages: [],
  },
  { path: 'src/threads', holds: 'worker threads: how they are started and ended', imports: ['src/installation.ts'] },
  {
    path: 'src/explore/state',
    holds: 'what a state is: its words, and the local states of actors',
    imports: GROUND,
    packages: NODE,
  },
  {
    path: 'src/explore/store',
    holds: 'where states are kept, in memory that all threads share',
    imports: ['src/model', 'src/explore/state'],
    packages: NODE,
  },
  {
    path: 'src/explore/step',
    holds: 'one step executed: what it reads and writes, and how it ends',
    imports: STATE,
    packages: NODE,
  },
  {
    path: 'src/explore/symmetry',
    holds: 'interchangeable members: how states are renamed, and the proof that they may be',
    imports: STEP,
    packages: NODE,
  },
  {
    path: 'src/explore/table',
    holds: 'steps recorded by what they read, so that a model’s code runs once for each',
    imports: [...STEP, 'src/explore/symmetry'],
    packages: NODE,
  },
  {
    path: 'src/explore/successors',
    holds: 'the successors of a state, and what the checks find in it',
    imports: [...TABLE, 'src/explore/store'],
    packages: NODE,
  },
  {
    path: 'src/explore/reductions',
    holds: 'which steps can be skipped: persistent sets and sleep sets',
    imports: SUCCESSORS,
    packages: NODE,
  },
  {
    path: 'src/explore/hangs',
    holds: 'the hang check: who can still move, and whether rest can be reached, from each stored state',
    imports: [...SUCCESSORS, 'src/explore/reductions'],
    packages: NODE,
  },
  {
    path: 'src/explore/search',
    holds: 'the search level by level, on several threads, and its checkpoints',
    imports: [...SUCCESSORS, 'src/explore/reductions', 'src/explore/hangs', 'src/bundle', 'src/threads'],
    packages: NODE,
  },
  {
    path: 'src/explore/paths',
    holds: 'searches along executions, without stored states: one file a strategy',
    imports: SEARCH,
    packages: NODE,
  },
  {
    path: 'src/explore/witness',
    holds: 'an execution told step by step, the shortest way to a state, and the graph of states',
    imports: [...SEARCH, 'src/explore/paths'],
    packages: NODE,
  },
  {
    path: 'src/live/memory',
    holds: 'the memory that live CPUs share: fields, their locks, transactions, which threads stand still',
    imports: GROUND,
    packages: NODE,
  },
  {
    path: 'src/live',
    holds: 'models on worker threads that act as CPUs: free runs and replays',
    imports: [...GROUND, 'src/bundle', 'src/threads', 'src/live/memory'],
    packages: NODE,
  },
  {
    path: 'src/report',
    holds: 'the report, how it is read back, and its wording',
    imports: ['src/installation.ts', 'src/source', 'src/model', 'src/trace', 'src/explore/successors'],
    packages: ['ajv'],
  },
  {
    path: 'src/report/page',
    holds: 'the page of a report: it runs in browsers, on the report alone',
    imports: ['src/trace', 'src/report'],
    packages: ['preact', 'preact/*'],
  },
  {
    path: 'src/report/formats',
    holds: 'the forms that reports and graphs are written in, one file a form',
    imports: ['src/installation.ts', 'src/source', 'src/trace', 'src/explore/witness', 'src/report', 'src/report/page'],
  },
  {
    path: 'src/gate',
    holds: 'reports compared with what scenarios expect and with recorded baselines',
    imports: ['src/source', 'src/model', 'src/bundle', 'src/report', 'src/report/formats'],
    packages: NODE,
  },
  {
    path: 'src/session',
    holds: 'what a command, a test or a worker asks for, from a request to a report; it knows no terminal',
    imports: [
      ...SEARCH,
      'src/installation.ts',
      'src/bundle',
      'checks',
      'src/explore/paths',
      'src/explore/witness',
      'src/live',
      'src/report',
      'src/threads',
    ],
    packages: NODE,
  },
  {
    path: 'src/session/gate',
    holds: 'the gate’s plan and its run over worker threads',
    imports: [
      ...MODEL,
      'src/bundle',
      'src/runtime',
      'src/config',
      'src/threads',
      'src/report',
      'src/gate',
      'src/session',
      'src/trace',
    ],
    packages: [...NODE, 'async-mutex'],
  },
  {
    path: 'src/session/index.ts',
    holds: 'the public entry `vmcheck/explore`',
    imports: [
      'src/installation.ts',
      'src/source',
      'src/bundle',
      'src/threads',
      'src/explore/search',
      'src/report',
      'src/gate',
      'src/session',
      'src/session/gate',
    ],
    packages: NODE,
  },
  {
    path: 'src/cli/process',
    holds: 'the command’s process: the thread that it starts, its output, and signals',
    imports: ['src/installation.ts', 'src/source', 'src/session'],
    packages: NODE,
  },
  { path: 'src/cli', holds: 'the commands: which is meant, their arguments, and what they print', imports: ['*'] },
  { path: 'workers', holds: 'what worker threads run', imports: ['*'], packages: NODE },
  {
    path: 'models',
    holds: 'models of kernels, written as a user writes them',
    imports: ['src/index.ts', 'src/vm'],
    packages: [],
  },
  { path: 'bench/models', holds: 'models that are measured', imports: ['src/index.ts', 'src/vm'], packages: [] },
  { path: 'test/models', holds: 'models that tests explore', imports: ['src/index.ts', 'src/vm'], packages: [] },
  { path: 'scripts', holds: 'what builds and checks the house', imports: ['*'] },
  { path: 'test', holds: 'tests, and the judge that generated programs are given to', imports: ['*'] },
  { path: 'bench', holds: 'measurements against other checkers', imports: ['*'] },
]
