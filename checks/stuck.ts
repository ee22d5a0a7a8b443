import type { Actor, Blocked, Check, Finding, StateView, ViolationKind } from '../src/model/index.ts'

/** `CPU 0 (names/0)`; the name alone where that may be on several CPUs. */
function title(actor: Actor): string {
  return actor.cpus.length > 1 ? actor.name : `${actor.cpu.name} (${actor.name})`
}

/** The same, shorter: `CPU 0` where nobody shares it. */
function short(actor: Actor): string {
  return actor.cpu.state ? title(actor) : actor.cpu.name
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

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

function waitsFor({ operation, target }: Blocked): string {
  return operation === 'spin' ? 'goes round in a loop' : target === '' ? `waits for a condition (${operation})` : `waits for ${target} (${operation})`
}

function diagnose(state: StateView, unfinished: readonly Actor[]): Finding {
  const ringOf = (actors: readonly Actor[]): Blocked[] => cycle(state.blocked(actors))
  const ringWithDaemons = state.terminal ? ringOf([...unfinished, ...state.actors.filter((actor) => state.mayStand(actor) && !state.isFinished(actor))]) : []
  const stuck = [...new Set([...unfinished, ...(ringWithDaemons.some(({ actor }) => !state.mayStand(actor)) ? ringWithDaemons.map(({ actor }) => actor) : [])])]
  const waits = state.blocked(stuck)
  const finding = (kind: ViolationKind, message: string): Finding => ({
    kind,
    property: kind === 'deadlock' ? 'no deadlock' : kind === 'livelock' ? 'every actor can go on' : 'every sleeper is woken',
    message,
    stuck: stuck.map(({ id }) => id),
  })
  const ring = cycle(waits)
  if (ring.length === 1) return finding('deadlock', `${title(ring[0]?.actor as Actor)} ${waitsFor(ring[0] as Blocked)}, which it holds itself`)
  if (ring.length > 1) {
    const parts = ring.map((wait, i) => `${title(wait.actor)} ${waitsFor(wait)}, held by ${short((ring[(i + 1) % ring.length] as Blocked).actor)}`)
    return finding('deadlock', `a cycle of waits: ${parts.join('; ')}`)
  }
  const spinner = waits.find(({ operation }) => operation === 'spin')
  if (spinner) return finding('livelock', `${title(spinner.actor)} goes round in a loop that nobody will end`)
  const orphan = waits.find(({ heldBy }) => heldBy.some((actor) => state.isFinished(actor)))
  if (orphan) {
    const holder = orphan.heldBy.find((actor) => state.isFinished(actor)) as Actor
    return finding('deadlock', `${title(orphan.actor)} ${waitsFor(orphan)}, whose holder ${title(holder)} has finished`)
  }
  const sleeper = waits.find(({ sleeping }) => sleeping)
  if (sleeper) return finding('lost-wakeup', `${list(waits.filter(({ sleeping }) => sleeping).map(({ actor, target }) => `${title(actor)} sleeps on ${target}`))}, and nobody is left who could wake ${waits.length > 1 ? 'them' : 'it'}`)
  return finding('deadlock', `${list(waits.map((wait) => `${title(wait.actor)} ${waitsFor(wait)}`))}, and nobody is left who could end that`)
}

/**
 * Actors that can never move again: a state in which nobody can move, a definite cycle of waits while others run on
 * (both seen as soon as they are reached), and what the search's backward sweep finds.
 */
export const stuck: Check = {
  name: 'stuck',
  about: 'every actor can always go on: no deadlock, lost wakeup or livelock',
  occasions: ['terminal', 'wait-cycle'],
  state(state) {
    const unfinished = state.actors.filter((actor) => !state.mayStand(actor))
    if (state.terminal) return unfinished.length > 0 ? [diagnose(state, unfinished)] : []
    const ring = state.waitCycle().filter((actor) => !state.mayStand(actor))
    return ring.length > 0 ? [diagnose(state, ring)] : []
  },
  hang(state, actors) {
    if (actors.length > 0) return diagnose(state, actors)
    const unfinished = state.actors.filter((actor) => actor.mustFinish && !state.isFinished(actor))
    return {
      kind: 'livelock',
      property: 'rest can be reached',
      message: `every actor can still move, but ${list(unfinished.map(title))} can never all finish from here (if one is meant to run for ever, declare it endless)`,
      stuck: unfinished.map(({ id }) => id),
    }
  },
}
