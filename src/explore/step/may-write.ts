import type { Actor } from '../../model/actor.ts'
import { writeCell } from '../state/layout.ts'
import { FINISHED } from '../state/local-form.ts'
import type { System } from '../state/system.ts'
import type { Executor } from './executor.ts'
import type { Script } from './step-record.ts'

/** An actor, where it is, and the shared memory. */
export interface Standpoint {
  readonly actor: Actor
  /** Encoding of its local state. */
  readonly code: Int32Array
  readonly words: Int32Array
}

/**
 * Whether an actor's code can still get to a write of one of some fields, for diagnosis: its waits are granted, and no
 * other actor moves.
 *
 * @param fields by id
 * @param budget steps at most
 */
export function mayWrite(
  executor: Executor,
  { layout }: Pick<System, 'layout'>,
  { actor, code, words }: Standpoint,
  fields: ReadonlySet<number>,
  budget = 500,
): boolean {
  const queue = [{ code, words }]
  const met = new Set<string>()
  const isReached = (): boolean => {
    for (let at = queue.pop(); at && budget-- > 0; at = queue.pop()) {
      for (const script of scripts(executor, actor, at.code, at.words)) {
        const record = executor.execute(actor, at.code, at.words, script, false)
        if (record.outcome !== 'step' || record.local === null) continue
        if ([...record.writes.keys()].some((id) => fields.has(id))) return true
        const next = at.words.slice()
        for (const [id, raw] of record.writes) writeCell(next, layout.cells[id] as never, raw)
        const key = `${record.local.join()}|${next.join()}`
        if (met.has(key) || record.local.length === FINISHED.length) continue
        met.add(key)
        queue.push({ code: Int32Array.from(record.local), words: next })
      }
    }
    return false
  }
  try {
    return executor.granting(isReached)
  } catch {
    return false // the result of such a run says nothing about the model
  }
}

/** The first alternatives of a step's first choice, each followed by the first ones. */
function scripts(executor: Executor, actor: Actor, code: Int32Array, words: Int32Array): Script[] {
  const { dependences } = executor.execute(actor, code, words, [], false)
  const choice = dependences.find(({ on }) => on === 'choice')
  return choice?.on === 'choice' ? Array.from({ length: choice.n }, (_, i) => [i]) : [[]]
}
