import type { Bundle } from '../../src/bundle/bundle.ts'
import { type LoadedModel, load } from '../../src/runtime/load.ts'
import { Refusal } from '../../src/source/refusal.ts'
import type { Engine } from '../../src/explore/search/engine.ts'
import { assertion } from '../../checks/index.ts'
import { FAULT, OUTCOME } from '../../src/explore/table/leaf.ts'
import type { Field } from '../../src/model/field.ts'
import type { MachineParts } from '../../src/model/machine-parts.ts'
import type { Granularity } from '../../src/semantics/step-bounds.ts'
import { type InlineOptions, type InlineSearch, bundleText, exploreInline } from '../harness/inline.ts'
import { type Outcome, interpret } from './interpreter.ts'
import { runNatively } from './native.ts'
import { type Followed, follow } from './paths.ts'
import { orbits } from './orbits.ts'
import { printModel } from './print.ts'
import type { GeneratedProgram } from './program.ts'
import { printPromela, spin } from './promela.ts'
import { type Way, searched } from './searched.ts'

/** What the engine says of a generated program, in the interpreter's terms. */
export function explored(loaded: LoadedModel, granularity: Granularity, options: InlineOptions = {}): Outcome {
  return outcomeOf(exploreInline(loaded, granularity, [assertion], {}, { bits: 12, ...options }))
}

function outcomeOf({ engine, indices, states, sweep }: InlineSearch): Outcome {
  const { system, store, view, successors } = engine
  let race = false
  let fault = false
  for (const index of indices()) {
    const words = store.at(index)
    const steps = successors.stepsOf(words)
    fault ||= system.actors.some(({ id }) =>
      steps.of(id).some((leaf) => ((engine.table.words[leaf] as number) & OUTCOME) === FAULT),
    )
    view.show(words, steps, 0, false)
    race ||= view.races().length > 0
  }
  sweep()
  const wedged = system.actors.filter(({ id }) =>
    [...indices()].some((index) => ((engine.stateWords.get(index) >> id) & 1) === 0),
  )
  return { race, fault, ...standstills(engine, indices()), wedged: wedged.map(({ id }) => id).join(), states }
}

/** Who stands still, and what the variables hold, in stored states in which no one can move. */
function standstills(engine: Engine, indices: Iterable<number>): Pick<Outcome, 'stuck' | 'ends'> {
  const { system, store, view, successors, locals } = engine
  const stuck = new Set<string>()
  const ends = new Set<string>()
  for (const index of indices) {
    const words = store.at(index)
    view.show(words, successors.stepsOf(words), 0, false)
    if (!view.terminal) continue
    const standing = system.actors.filter((actor) => !locals.hasFinished(words, actor.id))
    if (standing.length > 0) stuck.add(standing.map(({ id }) => id).join())
    else ends.add(variables(engine, words))
  }
  return { stuck, ends }
}

/** What a search as users run it says; `wedged` is told by the inline searches. */
function searchedOutcome(loaded: LoadedModel, way: Way, wedged: string): Promise<Outcome> {
  return searched(loaded, way, ({ findings, levels, states }, { engine }) => {
    const kinds = findings.map(({ kind }) => kind)
    const indices = levels.flat().flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i))
    return {
      race: kinds.includes('data-race'),
      fault: kinds.includes('assertion'),
      ...standstills(engine, indices),
      wedged,
      states,
    }
  })
}

function variables({ system, reader }: Engine, words: Int32Array): string {
  return variablesOf(system.machine, (field) => reader.value(field, words))
}

/** The variables of a state as the interpreter writes them; pages have no order. */
export function variablesOf({ interchangeable, memory }: MachineParts, value: (field: Field) => unknown): string {
  const isAlike = interchangeable.some(({ isDeclared }) => !isDeclared)
  const values = (pattern: RegExp): unknown[] => memory.fields.filter(({ name }) => pattern.test(name)).map(value)
  const owners = values(/^page\[\d\]\.owner/)
  const pages = values(/^page\[\d\]\.v/).map((value, i) => [value, owners[i] !== null])
  return JSON.stringify([
    values(/^plain/),
    values(/^atomic/),
    values(/^volatile/),
    values(/^published/),
    pages.toSorted(),
    values(/^board/)[0] !== null,
    isAlike ? values(/^result/).toSorted() : values(/^result/),
  ])
}

/** Threads by name or, where they are all alike, how many there are. */
function threads(list: string, isAlike: boolean): string {
  return isAlike && list !== '' ? `${list.split(',').length}` : list
}

function texts(set: ReadonlySet<string>, isAlike = false): string {
  return [...new Set([...set].map((text) => threads(text, isAlike)))].toSorted().join(' ')
}

/** Where two outcomes differ, or null. Programs with a race, or with a fault, beyond which nothing is explored, need agree on nothing but that they have one. */
function difference(name: string, one: Outcome, two: Outcome, isAlike: boolean): string | null {
  if (one.race && two.race) return null
  if (one.fault && two.fault) return null
  if (one.race !== two.race) return `${name}: race ${one.race} and ${two.race}`
  if (one.fault !== two.fault) return `${name}: fault ${one.fault} and ${two.fault}`
  if (texts(one.stuck, isAlike) !== texts(two.stuck, isAlike))
    return `${name}: stuck {${texts(one.stuck)}} and {${texts(two.stuck)}}`
  const wedged = [one, two].map((outcome) => (isAlike ? outcome.wedged !== '' : outcome.wedged))
  if (wedged[0] !== wedged[1]) return `${name}: wedged {${one.wedged}} and {${two.wedged}}`
  return texts(one.ends) === texts(two.ends) ? null : `${name}: ends {${texts(one.ends)}} and {${texts(two.ends)}}`
}

/** Most states a program may have for the interpreter. */
const MOST = 20_000
/** Most states of which orbits are counted by renaming each in every way. */
const MOST_RENAMED = 2_000

/** What a strategy that follows executions says; `wedged` it cannot tell. */
function outcomeOfPaths({ result, stuck, ends, engine }: Followed, wedged: string): Outcome {
  const kinds = result.findings.map(({ finding }) => finding.kind)
  return {
    race: kinds.includes('data-race'),
    fault: kinds.includes('assertion'),
    stuck,
    ends: new Set(ends.map((words) => variables(engine, words))),
    wedged,
    states: result.states,
  }
}

/** Compares strategies that follow executions with the interpreter, and the executions of dpor with all there are. */
async function comparePaths(
  { alike, threads: { length }, forever }: GeneratedProgram,
  outcome: Outcome,
  bundled: Bundle,
): Promise<{ readonly difference: string | null; readonly comparisons: number }> {
  const isEndless = forever.slice(0, length).some((body) => body !== null)
  let comparisons = 0
  for (const granularity of ['step', 'access'] as const) {
    const depthFirst = await follow(load(bundled), 'dfs', granularity)
    const found = difference(
      `interpreter and dfs by ${granularity}`,
      outcome,
      outcomeOfPaths(depthFirst, outcome.wedged),
      alike,
    )
    if (found) return { difference: found, comparisons }
    comparisons++
    for (const name of ['random', 'pct'] as const) {
      const missing = unknownTo(outcome, outcomeOfPaths(await follow(load(bundled), name, granularity), outcome.wedged))
      if (missing)
        return { difference: `${name} by ${granularity} finds ${missing}, the interpreter does not`, comparisons }
      comparisons++
    }
    if (isEndless) continue
    const reduced = await unlessRefused(() =>
      follow(load(bundled), 'dpor', granularity, {}, { states: Infinity, seconds: 1 }),
    )
    if (!reduced?.isThrough) continue
    const differs = difference(
      `interpreter and dpor by ${granularity}`,
      outcome,
      outcomeOfPaths(reduced, outcome.wedged),
      alike,
    )
    if (differs) return { difference: differs, comparisons }
    const every = await follow(load(bundled), 'every', granularity, {}, { states: Infinity, seconds: 0.2 })
    comparisons++
    if (!every.isThrough) continue
    const [all, classes] = [new Set(every.classes), new Set(reduced.classes)]
    const isSame = all.size === classes.size && [...all].every((one) => classes.has(one))
    if (!isSame || classes.size !== reduced.classes.length)
      return {
        difference: `by ${granularity}, ${all.size} classes of executions; dpor has ${reduced.classes.length} executions of ${classes.size}`,
        comparisons,
      }
    comparisons++
  }
  return { difference: null, comparisons }
}

/** What dpor says, or null where it refuses the program: for it waits for a condition on several fields. */
async function unlessRefused(body: () => Promise<Followed>): Promise<Followed | null> {
  try {
    return await body()
  } catch (error) {
    if (error instanceof Refusal && error.message.startsWith('dpor is not for')) return null
    throw error
  }
}

/** What one outcome has that another has not. */
function unknownTo(known: Outcome, { race, fault, stuck }: Outcome): string | null {
  if (known.race) return null // nothing else is said of a racy program
  if (race) return 'a race'
  if (fault && !known.fault) return 'a fault'
  const strange = known.fault ? undefined : [...stuck].find((threadsStuck) => !known.stuck.has(threadsStuck))
  return strange === undefined ? null : `{${strange}} stuck`
}

/**
 * Compares SPIN with the interpreter on a program: its verdicts and, where no assertion fails, the number of states, for
 * each step is one atomic statement there. The difference with the program's text, or null.
 */
export async function judgeBySpin(program: GeneratedProgram): Promise<string | null> {
  const outcome = interpret(program, MOST)
  if (!outcome) return null
  const found = await spin(program)
  const text = `${printPromela(program)}\n${printModel(program)}`
  if (found.fault !== outcome.fault) return `SPIN: fault ${found.fault}, interpreter: ${outcome.fault}\n${text}`
  if (outcome.fault) return null
  if (found.stuck !== outcome.stuck.size > 0)
    return `SPIN: stuck ${found.stuck}, interpreter: {${texts(outcome.stuck)}}\n${text}`
  return found.states === outcome.states
    ? null
    : `SPIN: ${found.states} states, interpreter: ${outcome.states}\n${text}`
}

/** Executions by native generators of each program. */
const NATIVE_RUNS = 30

/** An end that native generators come to and that the interpreter does not know, or null. */
function strangeNativeEnd(program: GeneratedProgram, { race, fault, stuck, ends }: Outcome): string | null {
  if (race) return null
  for (let seed = 0; seed < NATIVE_RUNS; seed++) {
    const end = runNatively(program, seed)
    if ('fault' in end && !fault) return 'a fault'
    if ('stuck' in end && !stuck.has(end.stuck)) return `{${end.stuck}} stuck`
    if ('end' in end && !ends.has(end.end)) return `the end ${end.end}`
  }
  return null
}

/** What judging a program came to. */
export interface Judged {
  /** What the interpreter says; null for a program too large to be compared. */
  readonly outcome: Outcome | null
  /** The first disagreement with the program's text, or null. */
  readonly difference: string | null
  /** How often two answers were compared. */
  readonly comparisons: number
}

/**
 * Compares the interpreter with the engine: in both granularities, without a step table and sleep sets, with each
 * reduction and with all; and counts orbits in two ways.
 */
export async function judge(program: GeneratedProgram): Promise<Judged> {
  const outcome = interpret(program, MOST)
  if (!outcome) return { outcome: null, difference: null, comparisons: 0 }
  const text = printModel(program)
  const bundled = await bundleText(text)
  const { alike } = program
  const ways: readonly (readonly [name: string, granularity: Granularity, options: InlineOptions])[] = [
    ['steps', 'step', {}],
    ['single accesses', 'access', {}],
    ['steps that are executed each time, and all successors', 'step', { patience: -1, sleepSets: false }],
    ['single accesses and all successors', 'access', { sleepSets: false }],
    ['symmetry', 'step', { symmetry: true }],
    ['symmetry and single accesses', 'access', { symmetry: true }],
    ['symmetry and all successors', 'step', { symmetry: true, sleepSets: false }],
  ]
  let comparisons = 0
  const states = new Map<string, number>()
  for (const [name, granularity, options] of ways) {
    const answer = explored(load(bundled), granularity, options)
    const kind = `${granularity}${options.symmetry ? ', symmetry' : ''}`
    if (!states.has(kind)) states.set(kind, answer.states)
    const found =
      answer.states === states.get(kind)
        ? difference(`interpreter and ${name}`, outcome, answer, alike)
        : `${name}: ${answer.states} states, not ${states.get(kind)}`
    comparisons++
    if (found) return { outcome, difference: `${found}\n${text}`, comparisons }
  }
  const strange = strangeNativeEnd(program, outcome)
  comparisons += NATIVE_RUNS
  if (strange)
    return {
      outcome,
      difference: `native generators come to ${strange}, the interpreter does not\n${text}`,
      comparisons,
    }
  // a thread takes a while to start: not for every program
  const workers = text.length % 8 === 0 ? 2 : 1
  for (const reduce of workers > 1 ? (['none', 'symmetry', 'por', 'all'] as const) : (['por', 'all'] as const)) {
    for (const granularity of ['step', 'access'] as const) {
      const answer = await searchedOutcome(load(bundled), { granularity, reduce, workers }, outcome.wedged)
      const found = difference(
        `interpreter and search by ${granularity}, reduced by ${reduce}, ${workers} workers`,
        outcome,
        answer,
        alike,
      )
      comparisons++
      if (found) return { outcome, difference: `${found}\n${text}`, comparisons }
    }
  }
  const paths = await comparePaths(program, outcome, bundled)
  comparisons += paths.comparisons
  if (paths.difference) return { outcome, difference: `${paths.difference}\n${text}`, comparisons }
  const plain = exploreInline(load(bundled), 'step', undefined, {}, { sleepSets: false, bits: 12 })
  if (plain.states > MOST_RENAMED) return { outcome, difference: null, comparisons }
  const reduced = states.get('step, symmetry')
  const counted = orbits(plain)
  return {
    outcome,
    difference: counted === reduced ? null : `${counted} orbits, ${reduced} states with symmetry\n${text}`,
    comparisons: comparisons + 1,
  }
}
