import type { Actor, Blocked, Check, Finding, StateView, ViolationKind } from '../src/index.ts'
import { list } from '../src/source/texts.ts'
import { short } from './wording.ts'

/** The first cycle among the waits, as positions in the order of waiting; empty without one. */
function cycle(waits: readonly Blocked[]): Blocked[] {
  for (const start of waits) {
    const path: Blocked[] = []
    const visit = (at: Blocked): boolean => {
      if (path.includes(at)) return at === start
      path.push(at)
      if (at.heldBy.some((actor) => waits.some((next) => next.actor === actor && visit(next)))) return true
      path.pop()
      return false
    }
    if (visit(start)) return path
  }
  return []
}

/** Fields that a message names of a condition at most. */
const MAX_READS = 4

function waitsFor({ operation, target, reads }: Blocked): string {
  if (operation === 'spin') return 'repeats a loop'
  if (target !== '') return `waits for ${target} (${operation})`
  const some = reads.slice(0, MAX_READS).join(', ')
  return reads.length === 0
    ? `waits for a condition (${operation})`
    : `waits for a condition (${operation}) on ${some}${reads.length > MAX_READS ? ' and more' : ''}`
}

/** Daemons that are caught up with others in waiting for each other: what they wait for is no work. */
function caught(state: StateView, unfinished: readonly Actor[]): readonly Actor[] {
  if (!state.terminal) return []
  const daemons = state.actors.filter((actor) => state.mayStand(actor) && !state.isFinished(actor))
  const ring = cycle(state.blocked([...unfinished, ...daemons])).map(({ actor }) => actor)
  return ring.some((actor) => unfinished.includes(actor)) ? ring : []
}

function diagnose(state: StateView, unfinished: readonly Actor[]): Finding {
  const stuck = [...new Set([...unfinished, ...caught(state, unfinished)])]
  const waits = state.blocked(stuck)
  const finding = (kind: ViolationKind, message: string): Finding => ({
    kind,
    property:
      kind === 'deadlock' ? 'no deadlock' : kind === 'livelock' ? 'every actor can go on' : 'every sleeper is woken',
    message,
    stuck: stuck.map(({ id }) => id),
  })
  const ring = cycle(waits)
  if (ring.length === 1)
    return finding('deadlock', `${ring[0]?.actor.label} ${waitsFor(ring[0] as Blocked)}, which it holds itself`)
  if (ring.length > 1) {
    const parts = ring.map(
      (wait, i) =>
        `${wait.actor.label} ${waitsFor(wait)}, held by ${short((ring[(i + 1) % ring.length] as Blocked).actor)}`,
    )
    return finding('deadlock', `a cycle of waits: ${parts.join('; ')}`)
  }
  const spinner = waits.find(({ operation }) => operation === 'spin')
  if (spinner)
    return finding(
      'livelock',
      spinner.actor.kind === 'handler'
        ? `${spinner.actor.label} handles an interrupt and never comes to its end`
        : `${spinner.actor.label} repeats a loop that no actor will end`,
    )
  // a channel has no holder: the wakeup of its sleepers is lost
  const orphan = waits.find(({ heldBy, sleeping }) => !sleeping && heldBy.some((actor) => state.isFinished(actor)))
  if (orphan) {
    const holder = orphan.heldBy.find((actor) => state.isFinished(actor)) as Actor
    return finding('deadlock', `${orphan.actor.label} ${waitsFor(orphan)}, whose holder ${holder.label} has finished`)
  }
  const sleeper = waits.find(({ sleeping }) => sleeping)
  if (sleeper)
    return finding(
      'lost-wakeup',
      `${list(waits.filter(({ sleeping }) => sleeping).map(({ actor, target }) => `${actor.label} sleeps on ${target}`))}, and no actor is left that could wake ${waits.length > 1 ? 'them' : 'it'}`,
    )
  return finding(
    'deadlock',
    `${list(waits.map((wait) => `${wait.actor.label} ${waitsFor(wait)}`))}, and no actor is left that could end that`,
  )
}

/**
 * Actors that can never move again: a state in which no one can move, a definite cycle of waits while others run on
 * (both seen as soon as they are reached), and what the search's backward sweep finds.
 */
export const stuck: Check = {
  name: 'stuck',
  about: 'every actor can always go on: no deadlock, lost wakeup or livelock',
  occasions: ['terminal', 'wait-cycle'],
  state(state) {
    // a daemon may wait for work forever, but not in a cycle of holders, nor for one that has finished
    const unfinished = state.terminal ? state.actors.filter((actor) => !state.mayStand(actor)) : []
    const all = [...new Set([...unfinished, ...state.waitCycle()])].toSorted((a, b) => a.id - b.id)
    return all.length > 0 ? [diagnose(state, all)] : []
  },
  hang(state, actors) {
    if (actors.length > 0) return diagnose(state, actors)
    const unfinished = state.actors.filter((actor) => actor.mustFinish && !state.isFinished(actor))
    return {
      kind: 'livelock',
      property: 'rest can be reached',
      message: `every actor can still move, but ${list(unfinished.map(({ label }) => label))} can never all finish from here (if one is meant to run forever, declare it endless)`,
      stuck: unfinished.map(({ id }) => id),
    }
  },
}
