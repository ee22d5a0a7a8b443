import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isInstalled, measured, numberIn } from './measure.ts'
import type { Workload } from './workloads.ts'

/** One run of a tool on a workload. */
export interface Run {
  readonly states: number
  readonly transitions: number
  /** Wall seconds from nothing to the verdict, compilation included. */
  readonly verdict: number
  /** CPU seconds of the search. */
  readonly search: number
  /** Wall seconds of the search, for what runs on several threads. */
  readonly searchWall: number
  /** As the tool counts: states and what it needs to find them again. */
  readonly bytesPerState: number
  /** Peak of the process, bytes. */
  readonly peak: number
}

/** A way to check a workload. */
export interface Tool {
  readonly name: string
  /** Whether its counts are those of the whole graph. */
  readonly isFull: boolean
  /** Takes part in the first round only. */
  readonly isSlow: boolean
  /** It is vmcheck. */
  readonly isOwn: boolean
  isThere(): Promise<boolean>
  run(workload: Workload, folder: string): Promise<Run>
}

const ROOT = resolve(fileURLToPath(import.meta.url), '../../..')

function vmcheck(workers: number): Tool {
  return {
    name: workers === 1 ? 'vmcheck' : `vmcheck, ${workers} workers`,
    isFull: true,
    isSlow: false,
    isOwn: true,
    isThere: async () => true,
    async run({ protocol, settings }, folder) {
      const set = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])
      const command = [
        process.execPath,
        join(ROOT, 'bin/vmcheck.js'),
        'explore',
        join(ROOT, `bench/models/${protocol}.ts`),
        ...set,
        '--reduce',
        'none',
        '--workers',
        String(workers),
        '--profile',
        '--json',
      ]
      const { out, wall, peak } = await measured(folder, command, { VMCHECK_CACHE: 'off' })
      const { stats, verdict, profile } = JSON.parse(out)
      if (verdict !== 'pass') throw new Error(`vmcheck says ${verdict} of ${protocol}`)
      const { states, transitions, bytesPerState } = stats
      const { sweep, wait } = profile.milliseconds
      const searchWall = stats.seconds - sweep / 1000 / workers
      return {
        states,
        transitions,
        verdict: wall,
        search: profile.cpu.search,
        searchWall: wait >= 0 ? searchWall : NaN,
        bytesPerState,
        peak,
      }
    },
  }
}

function spin(name: string, options: readonly string[], isFull: boolean): Tool {
  return {
    name,
    isFull,
    isSlow: false,
    isOwn: false,
    isThere: async () => (await isInstalled('spin')) && (await isInstalled('gcc')),
    async run({ protocol, constants, promela, depth }, folder) {
      const text = await readFile(join(ROOT, `bench/spin/${protocol}.pml`), 'utf8')
      const definitions = Object.entries(constants).map(([key, value]) => `#define ${key} ${value}\n`)
      await writeFile(join(folder, 'model.pml'), `${definitions.join('')}${promela ?? ''}${text}`)
      const generated = await measured(folder, ['spin', '-a', 'model.pml'])
      const compiled = await measured(folder, [
        'gcc',
        '-O2',
        '-w',
        '-DSAFETY',
        '-DMEMLIM=16000',
        ...options,
        '-o',
        'pan',
        'pan.c',
      ])
      const { out, wall, cpu, peak } = await measured(folder, [
        './pan',
        ...(options.includes('-DBFS') ? [] : [`-m${depth}`]),
      ])
      if (!/errors: 0/.test(out) || /search depth too small|out of memory/i.test(out))
        throw new Error(`SPIN could not check ${protocol}: ${out.slice(0, 300)}`)
      const states = numberIn(out, /(\d+) states, stored/)
      const used =
        (numberIn(out, /([\d.]+)\s+actual memory usage for states/) ||
          numberIn(out, /([\d.]+)\s+equivalent memory usage for states/)) +
        numberIn(out, /([\d.]+)\s+memory used for hash table/)
      // the initial state counts as a transition
      return {
        states,
        transitions: numberIn(out, /(\d+) transitions/) - 1,
        verdict: generated.wall + compiled.wall + wall,
        search: cpu,
        searchWall: wall,
        bytesPerState: (used * 2 ** 20) / states,
        peak,
      }
    },
  }
}

const rumur: Tool = {
  name: 'rumur',
  isFull: true,
  isSlow: true,
  isOwn: false,
  isThere: async () => (await isInstalled('rumur')) && (await isInstalled('gcc')),
  async run({ protocol, constants }, folder) {
    const text = await readFile(join(ROOT, `bench/murphi/${protocol}.m`), 'utf8')
    await writeFile(
      join(folder, 'model.m'),
      `${Object.entries(constants)
        .map(([key, value]) => `const ${key}: ${value};\n`)
        .join('')}${text}`,
    )
    const generated = await measured(folder, ['rumur', '--threads', '1', '--output', 'model.c', 'model.m'])
    const compiled = await measured(folder, [
      'gcc',
      '-std=c11',
      '-O2',
      '-w',
      '-march=native',
      '-o',
      'model',
      'model.c',
      '-lpthread',
      '-latomic',
    ])
    const { out, wall, cpu, peak } = await measured(folder, ['./model'])
    const [, states = 'NaN', transitions = 'NaN'] = /(\d+) states, (\d+) rules fired/.exec(out) ?? []
    return {
      states: Number(states),
      transitions: Number(transitions),
      verdict: generated.wall + compiled.wall + wall,
      search: cpu,
      searchWall: wall,
      bytesPerState: peak / Number(states),
      peak,
    }
  },
}

/** All tools, in the order in which they take turns. */
export const TOOLS: readonly Tool[] = [
  vmcheck(1),
  vmcheck(2),
  spin('SPIN, depth first', ['-DNOREDUCE'], true),
  spin('SPIN, breadth first', ['-DNOREDUCE', '-DBFS'], true),
  spin('SPIN, reduced', [], false),
  rumur,
]
