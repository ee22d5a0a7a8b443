import { type LoadedModel, load } from '../../src/compile/load.ts'
import type { Granularity } from '../../src/explore/step-memory.ts'
import { bundleText, exploreInline } from '../inline.ts'
import { type Outcome, interpret } from './interpreter.ts'
import { printModel } from './print.ts'
import type { GeneratedProgram } from './program.ts'

/** What the engine says of a generated program, in the interpreter's terms. */
export function explored(loaded: LoadedModel, granularity: Granularity, patience?: number): Outcome {
  const { engine, indices, states, sweep } = exploreInline(loaded, granularity, [], {}, patience)
  const { system, store, view, successors, locals, reader } = engine
  const ends = new Set<string>()
  const stuck = new Set<string>()
  let race = false
  for (const index of indices()) {
    const words = store.at(index)
    view.show(words, successors.stepsOf(words), 0, false)
    race ||= view.races().length > 0
    if (!view.terminal) continue
    const standing = system.actors.filter((actor) => !locals.hasFinished(words, actor.id))
    if (standing.length > 0) stuck.add(standing.map(({ id }) => id).join())
    else {
      const values = (name: string): unknown[] => system.layout.fields.filter((field) => field.name.startsWith(`${name}[`)).map((field) => reader.value(field, words))
      ends.add(JSON.stringify([values('plain'), values('atomic'), values('volatile'), values('published')]))
    }
  }
  sweep()
  const wedged = system.actors.filter(({ id }) => [...indices()].some((index) => ((engine.reach.get(index) >> id) & 1) === 0))
  return { race, stuck, ends, wedged: wedged.map(({ id }) => id).join(), states }
}

function texts(set: ReadonlySet<string>): string {
  return [...set].toSorted().join(' ')
}

/** Where two outcomes differ, or null. Programs with a race need agree on nothing but that they have one. */
function difference(name: string, one: Outcome, two: Outcome): string | null {
  if (one.race !== two.race) return `${name}: race ${one.race} and ${two.race}`
  if (one.race) return null
  if (texts(one.stuck) !== texts(two.stuck)) return `${name}: stuck {${texts(one.stuck)}} and {${texts(two.stuck)}}`
  if (one.wedged !== two.wedged) return `${name}: wedged {${one.wedged}} and {${two.wedged}}`
  return texts(one.ends) === texts(two.ends) ? null : `${name}: ends {${texts(one.ends)}} and {${texts(two.ends)}}`
}

/** Most states a program may have for the interpreter. */
const MOST = 20_000

/**
 * Compares the interpreter with the engine in both granularities, and without a step table; the difference with the program's text, or null.
 * `outcome` is null for a program too large to be compared.
 */
export async function judge(program: GeneratedProgram): Promise<{ outcome: Outcome | null; difference: string | null }> {
  const outcome = interpret(program, MOST)
  if (!outcome) return { outcome: null, difference: null }
  const text = printModel(program)
  const bundled = await bundleText(text)
  for (const granularity of ['step', 'access'] as const) {
    const found = difference(`interpreter and ${granularity}`, outcome, explored(load(bundled), granularity))
    if (found) return { outcome, difference: `${found}\n${text}` }
  }
  const found = difference('interpreter and steps that are executed each time', outcome, explored(load(bundled), 'step', -1))
  if (found) return { outcome, difference: `${found}\n${text}` }
  return { outcome, difference: null }
}
