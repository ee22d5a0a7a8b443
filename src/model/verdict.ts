/** What can be found wrong, in canonical order (ties of depth are broken by it). */
export const VIOLATION_KINDS = [
  'deadlock',
  'lost-wakeup',
  'livelock',
  'assertion',
  'invariant',
  'at-rest',
  'data-race',
  'use-after-free',
  'range',
  'exception',
  'sleep-in-atomic',
  'imbalance',
  'unreached',
] as const

/** A kind of violation. */
export type ViolationKind = (typeof VIOLATION_KINDS)[number]

/** The outcome of a search. */
export type Verdict = 'pass' | 'violation' | 'inconclusive'

/**
 * Why a search or a run ended before its end: a limit (`runs`: of executions or rounds), an interrupt, a bound on
 * preemptions that kept executions from being followed, or `check off`: steps that a check that is off would report.
 */
export type StopReason = 'memory' | 'states' | 'depth' | 'time' | 'interrupt' | 'runs' | 'preemptions' | 'check off'
