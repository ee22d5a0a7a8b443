import type { Check, Finding } from '../model/check.ts'
import type { Fault } from '../model/memory.ts'
import type { TraceStep, Waiting } from '../trace/trace.ts'
import type { Violation } from '../trace/violation.ts'
import type { Wait } from './driver.ts'
import { occasionsOf } from './occasions.ts'
import { CannotFollow, type Halt, type Replay, difference, raceDifference } from './replay.ts'

/** What live CPUs made of a violation's schedule. */
export interface Followed {
  /** The steps that they took. */
  readonly steps: readonly TraceStep[]
  /** Where they differ from what is told, and how; null where they do not. */
  readonly difference: { readonly step: number; readonly what: string } | null
  /** Actors that sleep in their operations now. */
  readonly waiting: readonly Waiting[]
  /** What was found at the end. */
  readonly finding: Finding | null
}

/** Steps that an actor has to take without coming to an end, to be taken to go round in a loop. */
const ROUNDABOUT = 100

/**
 * Drives live CPUs through a violation's schedule: step by step they have to do what is told, and at its end the same has
 * to be wrong, as `ending` sees to it.
 */
export async function follow(replay: Replay, violation: Violation, ending: () => Promise<End>): Promise<Followed> {
  const steps: TraceStep[] = []
  for (let i = 0; i < violation.schedule.length; i++) {
    const { step, what } = await followStep(replay, violation, i)
    if (step) steps.push(step)
    if (what !== null) return { steps, difference: { step: i + 1, what }, waiting: [], finding: null }
  }
  const { what, waiting, finding } = await ending()
  return {
    steps,
    difference: what === null ? null : { step: steps.length, what: `at the end, ${what}` },
    waiting,
    finding,
  }
}

/** Takes one step of a violation's schedule, by its position: the step, where it could be taken, and how it differs from what is told. */
export async function followStep(
  replay: Replay,
  { schedule, steps }: Violation,
  i: number,
): Promise<{ readonly step: TraceStep | null; readonly what: string | null }> {
  try {
    const step = await replay.step(schedule[i] as Violation['schedule'][number])
    const told = steps[i]
    const isTooEarly = replay.fault !== null && i < schedule.length - 1
    return {
      step,
      what: (told ? difference(told, step) : null) ?? (isTooEarly ? (replay.fault as Fault).message : null),
    }
  } catch (error) {
    if (error instanceof CannotFollow) return { step: null, what: error.message }
    throw error
  }
}

/** What there is to see where a schedule ends; `what` says how it differs from what is told. */
export interface End {
  readonly what: string | null
  readonly waiting: readonly Waiting[]
  readonly finding: Finding | null
}

/** Sees to what a violation's schedule leads to. Where it is a hang, those who hang are let go, and really block. */
export async function followEnd(replay: Replay, violation: Violation, checks: readonly Check[]): Promise<End> {
  const nothing = { waiting: [], finding: null }
  if (replay.fault) return { ...nothing, what: same(violation, replay.fault), finding: replay.fault }
  if (violation.accesses) return { ...nothing, what: await race(replay, violation), finding: violation }
  if (violation.waiting.length > 0) return hang(replay, violation, checks)
  const found = findings(replay, checks)
  const finding = found.find(({ kind, property }) => kind === violation.kind && property === violation.property) ?? null
  return {
    ...nothing,
    what: finding ? same(violation, finding) : `nothing is wrong with “${violation.property}”`,
    finding,
  }
}

/** What checks find wrong in the state that is reached. */
function findings(replay: Replay, checks: readonly Check[]): Finding[] {
  const { view } = replay
  const isAtRest = view.actors.every((actor) =>
    actor.mustFinish ? view.isFinished(actor) : actor.endless || view.isFinished(actor) || view.isBlocked(actor),
  )
  return view.findings(checks, isAtRest ? [...occasionsOf('atEnd'), 'rest'] : occasionsOf('atEnd'))
}

function same(
  told: Pick<Violation, 'kind' | 'property' | 'message'>,
  { kind, property, message }: Finding | Pick<Finding, 'kind' | 'property' | 'message'>,
): string | null {
  return kind === told.kind && property === told.property && message === told.message
    ? null
    : `it is ${kind}: ${message}`
}

async function race(replay: Replay, { accesses = [] }: Violation): Promise<string | null> {
  const halts = await replay.free(accesses.map(({ actor }) => actor))
  return raceDifference(accesses, halts, replay.view.actors)
}

async function hang(replay: Replay, violation: Violation, checks: readonly Check[]): Promise<End> {
  const { view } = replay
  const sleeps = (actor: number): boolean => view.isBlocked(view.actors[actor] as (typeof view.actors)[number])
  const found = findings(replay, checks)
  // those who go round first: who is let go cannot be asked any more what it stands before
  const spinners = violation.waiting.filter(({ actor, operation }) => operation === 'spin' && !sleeps(actor))
  const rounds: (string | null)[] = []
  for (const { actor } of spinners) rounds.push(await goesRound(replay, actor))
  if (spinners.length > 0 && rounds.every((what) => what !== null))
    return { what: `${view.actors[spinners[0]?.actor as number]?.title}: ${rounds[0]}`, waiting: [], finding: null }
  const halts = await replay.free(violation.waiting.map(({ actor }) => actor).filter(sleeps))
  const waiting: Waiting[] = []
  for (const told of violation.waiting) {
    const halt = halts.get(told.actor)
    if (halt?.at === 'wait' && halt.wait) waiting.push(waitingOf(told.actor, halt.wait))
    const what =
      halt?.at === 'wait' ? waitDifference(told, halt.wait) : told.operation === 'spin' ? null : 'it does not wait'
    if (what !== null) return { what: `${view.actors[told.actor]?.title}: ${what}`, waiting, finding: null }
  }
  // a hang that no step can end is seen by the explorer's backward sweep alone: that the actors block is all that can be shown
  const finding = found.find(({ stuck }) => String(stuck) === String(violation.stuck)) ?? null
  // who would wake a sleeper is derived from code that has not run: with that known, a lost wakeup may be part of a cycle
  const isLess = violation.kind === 'deadlock' && finding?.kind === 'lost-wakeup'
  return {
    what: finding && !isLess ? same(violation, finding) : null,
    waiting,
    finding: isLess || !finding ? violation : finding,
  }
}

/** What is known at the end of a schedule of which nothing is told: what is wrong there, if anything is, and who sleeps. */
export async function untoldEnd(replay: Replay, checks: readonly Check[]): Promise<End> {
  const finding = replay.fault ?? findings(replay, checks)[0] ?? null
  if (!finding)
    return {
      what: 'nothing is wrong that live CPUs can see (a race, and a hang while others run, only with a report)',
      waiting: [],
      finding,
    }
  const { view } = replay
  const halts =
    'stuck' in finding
      ? await replay.free(view.actors.filter((actor) => view.isBlocked(actor)).map(({ id }) => id))
      : new Map<number, Halt>()
  return {
    what: null,
    waiting: [...halts].flatMap(([actor, halt]) =>
      halt.at === 'wait' && halt.wait ? [waitingOf(actor, halt.wait)] : [],
    ),
    finding,
  }
}

/** A wait as traces tell it. */
export function waitingOf(actor: number, { operation, target, heldBy, at }: Wait): Waiting {
  return { actor, operation, target, heldBy, at }
}

function waitDifference(told: Waiting, wait: Wait | null): string | null {
  const show = ({ operation, target, heldBy }: Pick<Waiting, 'operation' | 'target' | 'heldBy'>): string =>
    `${operation} ${target}`.trim() + (heldBy.length > 0 ? `, held by ${heldBy.join(' and ')}` : '')
  // who would wake a sleeper is derived from code that has not run
  const seen = wait?.sleeping && wait.heldBy.length === 0 ? { ...wait, heldBy: told.heldBy } : wait
  return seen && show(seen) === show(told)
    ? null
    : `it waits for ${wait ? show(wait) : 'nothing'} and not for ${show(told)}`
}

async function goesRound(replay: Replay, actor: number): Promise<string | null> {
  for (let i = 0; i < ROUNDABOUT; i++) {
    const who = replay.view.actors[actor]
    if (!who || replay.isFinished(who)) return 'it comes to an end'
    if (replay.isBlocked(who)) return null
    await replay.step({ actor, choices: null })
    if (replay.fault) return replay.fault.message
  }
  return null
}
