/** What the threads of a live machine share. All words are Int32. */
export interface LiveBuffers {
  /** Three words a field: its raw value, who has it locked, who watches it. Fields of the machine first, then one a CPU that says whose step is running there. */
  readonly fields: SharedArrayBuffer
  readonly control: SharedArrayBuffer
  /** By actor: the steps that it took in this round, as {@link StepLog} writes them. */
  readonly logs: readonly SharedArrayBuffer[]
}

/** Words of the control buffer. */
export const CONTROL = {
  /** Actors that neither stand at a point nor have finished. */
  running: 0,
  /** See {@link FLAG}. */
  flags: 1,
  /** Who has stopped the others: actor + 1, {@link COORDINATOR} or 0. */
  stopper: 2,
  /** Rounds begun. */
  round: 3,
  /** Steps begun in this round: gives them their order. */
  ticket: 4,
  /** Actors that must finish and have not yet. */
  remaining: 5,
  /** Rounds after which to end; 0: none. */
  limit: 6,
  /** Whether a step of this round ended in a fault: 1, or -1 where no check is on for it. */
  faulty: 7,
  /** Rounds closed. */
  closed: 8,
  /** Number of the question, to standing actors, what they wait for; 0: none is open. */
  asked: 9,
} as const

/** Bits of the flags. */
export const FLAG = {
  /** Everybody is to stand still at the next point. */
  stop: 1,
  /** The round is over: programs are left where they stand. */
  over: 2,
  /** The threads are to end. */
  end: 4,
} as const

/** The coordinating thread as {@link CONTROL.stopper}. */
export const COORDINATOR = 1 << 20

/** Words of an actor, counted from {@link actorWords}: a cache line each. */
export const ACTOR = {
  /** See {@link STANDING}. */
  standing: 0,
  /** Changes whenever the actor is to look around. */
  wake: 1,
  /** What the actor is told to do where it stands, in a replay. */
  command: 2,
  /** Words of its log in use; -1: it did not fit. */
  log: 3,
  /** Steps taken, in all rounds, modulo 2^32. */
  steps: 4,
  /** Attempts that found their operation blocked. */
  blocks: 5,
} as const

/** What an actor that stands at a point is told to do, in a replay. */
export const COMMAND = {
  none: 0,
  /** Take one step. */
  step: 1,
  /** Say what it stands before. */
  look: 2,
  /** Go on freely, and block where that is so. */
  free: 3,
  /** See what the flags say. */
  lookAround: 4,
} as const

/** How an actor stands. */
export const STANDING = { idle: 0, running: 1, blocked: 2, parked: 3, finished: 4 } as const

const GLOBAL_WORDS = 16
const ACTOR_WORDS = 16
/** Words of an actor's log: a quarter of a million steps without choices. */
const LOG_WORDS = 1 << 19

/** Where an actor's words begin in the control buffer. */
export function actorWords(actor: number): number {
  return GLOBAL_WORDS + actor * ACTOR_WORDS
}

/** New buffers for a machine. */
export function liveBuffers(fields: number, cpus: number, actors: number): LiveBuffers {
  return {
    fields: new SharedArrayBuffer((fields + cpus) * 3 * 4),
    control: new SharedArrayBuffer(actorWords(actors) * 4),
    logs: Array.from({ length: actors }, () => new SharedArrayBuffer(LOG_WORDS * 4)),
  }
}
