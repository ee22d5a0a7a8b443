/** What a check finds in the broken variant of a model in `test/models/twins`; the fixed one passes. */
export interface Twin {
  readonly kind: string
  readonly says: RegExp
  readonly steps: number
  readonly stuck?: readonly number[]
}

/** Twins by the name of their file. */
export const TWINS: Readonly<Record<string, Twin>> = {
  'lock-order': {
    kind: 'deadlock',
    says: /a cycle of waits: CPU 0 \(a\/0\) waits for other \(acquire\), held by CPU 1; CPU 1 \(b\/1\) waits for lock/,
    steps: 2,
    stuck: [0, 1],
  },
  'waits-for-itself': {
    kind: 'deadlock',
    says: /waits for lock \(acquire\), which it holds itself/,
    steps: 1,
    stuck: [0],
  },
  'holder-has-finished': {
    kind: 'deadlock',
    says: /waits for lock \(acquire\), whose holder CPU 0 \(a\/0\) has finished/,
    steps: 1,
    stuck: [1],
  },
  'reader-writer-upgrade': { kind: 'deadlock', says: /rw/, steps: 2 },
  'lost-wakeup': {
    kind: 'lost-wakeup',
    says: /sleeps on done, and no actor is left that could wake it/,
    steps: 4,
    stuck: [0],
  },
  peterson: { kind: 'assertion', says: /one at a time/, steps: 8 },
  'a-wedged-pair-while-a-third-runs-for-ever': { kind: 'deadlock', says: /a cycle of waits/, steps: 2, stuck: [0, 1] },
  'a-sleeper-forgotten-while-another-runs-for-ever': {
    kind: 'lost-wakeup',
    says: /sleeps on c, and no actor is left/,
    steps: 1,
    stuck: [0],
  },
  'a-spin-that-nobody-ends': { kind: 'livelock', says: /loop|never all finish/, steps: 0 },
  'a-one-step-spin-that-nobody-ends': {
    kind: 'livelock',
    says: /repeats a loop that no actor will end/,
    steps: 0,
    stuck: [0],
  },
  'two-that-keep-stepping-aside': { kind: 'livelock', says: /can never all finish|goes round/, steps: 0 },
  'a-data-race-after-a-release': { kind: 'data-race', says: /writes x\.v while|reads x\.v while/, steps: 1 },
  'a-data-race-between-a-condition-and-a-plain-write': { kind: 'data-race', says: /x\.v/, steps: 0 },
  'both-wanting-one-lock-is-no-race': { kind: 'data-race', says: /x\.v/, steps: 0 },
  assertion: { kind: 'assertion', says: /^x is one$/, steps: 2 },
  'invariant-when-a-lock-is-free': {
    kind: 'invariant',
    says: /"x is y" does not hold when lock is released/,
    steps: 1,
  },
  'invariant-in-every-state': {
    kind: 'invariant',
    says: /"x is not two" does not hold, as it should in every state/,
    steps: 2,
  },
  'invariant-in-the-initial-state': { kind: 'invariant', says: /in the initial state/, steps: 0 },
  'at-rest': { kind: 'at-rest', says: /"x is two" does not hold at rest/, steps: 4 },
  'use-after-free': { kind: 'use-after-free', says: /pool\[0\] is used after it was freed/, steps: 3 },
  'double-free': { kind: 'use-after-free', says: /pool\[0\]/, steps: 2 },
  'an-allocation-that-fails-unnoticed': {
    kind: 'exception',
    says: /TypeError: Cannot set properties of null.*\(.*an-allocation-that-fails-unnoticed\.ts:\d+\)/,
    steps: 1,
  },
  range: { kind: 'range', says: /x\.v is u4 and cannot hold 16/, steps: 2 },
  exception: { kind: 'exception', says: /Error: panic \(.*exception\.ts:\d+\)/, steps: 1 },
  'sometimes-never': { kind: 'unreached', says: /"x is three" held in no reachable state/, steps: 0 },
  'a-property-never-evaluated': { kind: 'unreached', says: /"fine" was never evaluated/, steps: 0 },
  'a-thread-ends-with-a-lock-held': { kind: 'imbalance', says: /CPU 0 \(a\/0\) ends with lock held/, steps: 1 },
  'a-thread-ends-with-preemption-and-interrupts-off': {
    kind: 'imbalance',
    says: /ends with interrupts off and preemption off/,
    steps: 2,
  },
  'a-thread-alone-on-its-cpu-ends-with-preemption-off': {
    kind: 'imbalance',
    says: /CPU 0 \(a\/0\) ends with preemption off/,
    steps: 2,
  },
  'an-interrupt-handler-ends-with-a-lock-held': { kind: 'imbalance', says: /ends with s held/, steps: 3 },
  'a-mutex-is-taken-with-a-spin-lock-held': {
    kind: 'sleep-in-atomic',
    says: /CPU 0 \(a\/0\) may sleep in lock \(acquire\), although it holds the spin lock s/,
    steps: 1,
  },
  'a-handler-sleeps': { kind: 'sleep-in-atomic', says: /although it is an interrupt handler/, steps: 2 },
  'a-thread-alone-on-its-cpu-sleeps-with-interrupts-off': {
    kind: 'sleep-in-atomic',
    says: /may sleep in lock \(acquire\), although interrupts are off/,
    steps: 1,
  },
}

/** Path of a twin's model. */
export function twin(name: string): string {
  return `test/models/twins/${name}.ts`
}
