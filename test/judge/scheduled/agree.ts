import type { Bundle } from '../../../src/bundle/bundle.ts'
import { load } from '../../../src/runtime/load.ts'
import { bundleText } from '../../harness/inline.ts'
import { type Way, searched } from '../searched.ts'
import { interpretScheduled } from './interpret.ts'
import { printScheduled } from './print.ts'
import type { Program } from './program.ts'

const HANGS = ['deadlock', 'lost-wakeup', 'livelock']
const NAMED = ['invariant', 'at-rest', 'unreached']
/** Most states a program may have for the interpreter. */
const MOST = 20_000

/** What the engine finds, in the interpreter's terms. */
function foundBy(bundled: Bundle, way: Way): Promise<ReadonlySet<string>> {
  return searched(
    load(bundled),
    way,
    ({ findings }) =>
      new Set(
        findings.map(({ kind, property }) =>
          HANGS.includes(kind) ? 'hang' : NAMED.includes(kind) ? `${kind} ${property}` : kind,
        ),
      ),
  )
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
  const ways: readonly Way[] = [
    { granularity: 'step', reduce: 'none', workers },
    { granularity: 'access', reduce: 'none', workers: 1 },
    { granularity: 'step', reduce: 'none', workers: 1, tuning: { sleepSets: false, patience: -1 } },
    { granularity: 'step', reduce: 'symmetry', workers: 1 },
    { granularity: 'step', reduce: 'por', workers: 1 },
    { granularity: 'access', reduce: 'por', workers: 1 },
    { granularity: 'step', reduce: 'all', workers: 1 },
  ]
  let comparisons = 0
  for (const way of ways) {
    const { granularity, reduce } = way
    const found = await foundBy(bundled, way)
    // partial order passes by states that only `sometimes` asks for: the command searches again without it
    const isPassedBy = reduce === 'por' || reduce === 'all'
    const met = (set: ReadonlySet<string>): ReadonlySet<string> =>
      isPassedBy ? new Set([...set].filter((one) => !one.startsWith('unreached'))) : set
    const differs = difference(met(verdicts.found), met(found))
    comparisons++
    if (differs)
      return {
        found: verdicts.found,
        states: verdicts.states,
        difference: `interpreter and search by ${granularity}, reduced by ${reduce}: ${differs}\n${text}`,
        comparisons,
      }
  }
  return { found: verdicts.found, states: verdicts.states, difference: null, comparisons }
}
