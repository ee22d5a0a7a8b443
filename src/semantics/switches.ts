/** How often a thread alone on its CPU has switched interrupts and preemption off: part of its local state, for no other actor can tell. */
export interface Switches {
  readonly interrupts: number
  readonly preemption: number
}

/** Of a thread that has switched nothing off. */
export const NOTHING_OFF: Switches = { interrupts: 0, preemption: 0 }

/**
 * The same with something switched off once more (1), or back (-1).
 * @throws Error for what is not off
 */
export function switchedBy(switches: Switches, what: keyof Switches, by: 1 | -1): Switches {
  const depth = switches[what] + by
  if (depth < 0) throw new Error(`${what} are switched on although they are not off`)
  return { ...switches, [what]: depth }
}
