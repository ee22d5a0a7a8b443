import { checks } from '../../../checks/index.ts'
import { type Reduce, reductionsOf } from '../../../src/cli/request.ts'
import type { Bundle } from '../../../src/compile/bundle.ts'
import { load } from '../../../src/compile/load.ts'
import { Search } from '../../../src/explore/search.ts'
import { buildSystem } from '../../../src/explore/system.ts'
import type { Granularity } from '../../../src/model/step-bounds.ts'
import { bundleText } from '../../inline.ts'
import { interpretScheduled } from './interpret.ts'
import { printScheduled } from './print.ts'
import type { Program } from './program.ts'

const HANGS = ['deadlock', 'lost-wakeup', 'livelock']
const NAMED = ['invariant', 'at-rest', 'unreached']
/** Most states a program may have for the interpreter. */
const MOST = 20_000
const ROOM = { room: { states: 1 << 14, words: 1 << 20 }, segmentBits: 14 }

/** What the engine finds, in the interpreter's terms, and in how many states. */
async function searched(bundled: Bundle, granularity: Granularity, reduce: Reduce, workers: number, more: { readonly sleepSets?: boolean; readonly patience?: number } = {}): Promise<{ readonly found: ReadonlySet<string>; readonly states: number }> {
  const search = new Search(buildSystem(load(bundled), {}), {
    params: {},
    granularity,
    checks,
    keepGoing: true,
    reductions: reductionsOf(reduce, []),
    workers,
    limits: { maxStates: Infinity, maxDepth: Infinity, time: Infinity, memory: 4e9 },
    signal: new AbortController().signal,
    progress: () => {},
    tuning: { ...ROOM, ...more, ...(workers > 1 && { narrow: 4, worthThreads: 0 }) },
  })
  try {
    const { findings, states } = await search.run()
    const found = findings.map(({ kind, property }) => (HANGS.includes(kind) ? 'hang' : NAMED.includes(kind) ? `${kind} ${property}` : kind))
    return { found: new Set(found), states }
  } finally {
    await search.close()
  }
}

/** Kinds beyond which nothing is explored, or which leave open what a thread does to its CPU. */
const LAST: readonly RegExp[] = [/^assertion$/, /^invariant invariant/, /^imbalance$/, /^sleep-in-atomic$/]

/** Where two sets of verdicts differ, or null. */
function difference(known: ReadonlySet<string>, found: ReadonlySet<string>): string | null {
  const last = LAST.map((kind) => [known, found].map((set) => [...set].some((one) => kind.test(one))))
  if (last.some(([one, two]) => one && two)) return null
  const [one, two] = [known, found].map((set) => [...set].toSorted().join(', '))
  return one === two ? null : `{${one}} and {${two}}`
}

/** What judging a program came to. */
export interface JudgedScheduled {
  /** What the interpreter found; null for a program too large to be compared. */
  readonly found: ReadonlySet<string> | null
  readonly states: number
  /** The first disagreement with the program's text, or null. */
  readonly difference: string | null
  readonly comparisons: number
}

/** Compares what the engine finds, by each granularity and reduction, with what the interpreter does. */
export async function judgeScheduled(program: Program): Promise<JudgedScheduled> {
  const verdicts = interpretScheduled(program, MOST)
  if (!verdicts) return { found: null, states: 0, difference: null, comparisons: 0 }
  const text = printScheduled(program)
  const bundled = await bundleText(text)
  const workers = text.length % 16 === 0 ? 2 : 1
  const ways: readonly (readonly [Granularity, Reduce, number, { readonly sleepSets?: boolean; readonly patience?: number }?])[] = [
    ['step', 'none', workers],
    ['access', 'none', 1],
    ['step', 'none', 1, { sleepSets: false, patience: -1 }],
    ['step', 'symmetry', 1],
    ['step', 'por', 1],
    ['access', 'por', 1],
    ['step', 'all', 1],
  ]
  let comparisons = 0
  for (const [granularity, reduce, threads, more] of ways) {
    const { found } = await searched(bundled, granularity, reduce, threads, more)
    // partial order passes by states that only `sometimes` asks for: the command searches again without it
    const isPassedBy = reduce === 'por' || reduce === 'all'
    const met = (set: ReadonlySet<string>): ReadonlySet<string> => (isPassedBy ? new Set([...set].filter((one) => !one.startsWith('unreached'))) : set)
    const differs = difference(met(verdicts.found), met(found))
    comparisons++
    if (differs) return { found: verdicts.found, states: verdicts.states, difference: `interpreter and search by ${granularity}, reduced by ${reduce}: ${differs}\n${text}`, comparisons }
  }
  return { found: verdicts.found, states: verdicts.states, difference: null, comparisons }
}
