import type { Judged } from './agree.ts'
import type { GeneratedProgram, Statement } from './program.ts'
import type { JudgedScheduled } from './scheduled/agree.ts'

/** What a program may have in it or come to, of which the share is worth telling. */
export const COVERED = [
  'deadlock',
  'wedged',
  'race',
  'assertion',
  'choice',
  'wait',
  'loop',
  'alike threads',
  'too large',
  'given to SPIN',
] as const

/** What a program of threads that share CPUs may come to, of which the share is worth telling. */
export const FOUND = ['hang', 'sleep-in-atomic', 'imbalance', 'assertion', 'invariant', 'at-rest', 'unreached'] as const

/** Counts over programs. */
export type Covered = Record<
  | 'programs'
  | 'states'
  | 'comparisons'
  | (typeof COVERED)[number]
  | 'scheduled programs'
  | `scheduled: ${(typeof FOUND)[number]}`,
  number
>

/** No programs yet. */
export function nothing(): Covered {
  return Object.fromEntries(
    [
      'programs',
      'states',
      'comparisons',
      ...COVERED,
      'scheduled programs',
      ...FOUND.map((kind) => `scheduled: ${kind}`),
    ].map((what) => [what, 0]),
  ) as Covered
}

/** The counts of one program of threads that share CPUs. */
export function coverageOfScheduled({ found, states, comparisons }: JudgedScheduled): Covered {
  const kinds = [...(found ?? [])]
  const counts = Object.fromEntries(
    FOUND.map((kind) => [`scheduled: ${kind}`, kinds.some((one) => one.startsWith(kind)) ? 1 : 0]),
  )
  return { ...nothing(), ...counts, states, comparisons, 'scheduled programs': 1 }
}

/** Adds counts to others. */
export function add(sum: Covered, more: Covered): void {
  for (const what of Object.keys(more) as (keyof Covered)[]) sum[what] += more[what]
}

/** The counts of one program. */
export function coverageOf(program: GeneratedProgram, { outcome, comparisons }: Judged): Covered {
  const kinds = new Set<Statement['kind']>()
  const visit = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      kinds.add(statement.kind)
      if ('body' in statement) visit(statement.body)
      if ('otherwise' in statement) visit(statement.otherwise)
    }
  }
  for (const thread of program.threads) visit(thread)
  const again = program.forever.slice(0, program.threads.length).filter((body) => body !== null)
  for (const body of again) visit(body)
  const has = (...some: readonly Statement['kind'][]): number => (some.some((kind) => kinds.has(kind)) ? 1 : 0)
  return {
    ...nothing(),
    programs: 1,
    states: outcome?.states ?? 0,
    comparisons,
    deadlock: outcome && outcome.stuck.size > 0 ? 1 : 0,
    wedged: outcome && outcome.wedged !== '' ? 1 : 0,
    race: outcome?.race ? 1 : 0,
    assertion: outcome?.fault ? 1 : 0,
    choice: has('choose', 'pick', 'allocate'),
    wait: has('sleep', 'await', 'awaitPlain', 'awaitBoth'),
    loop: again.length > 0 || kinds.has('repeat') ? 1 : 0,
    'alike threads': program.alike ? 1 : 0,
    'too large': outcome ? 0 : 1,
  }
}
