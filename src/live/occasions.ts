import type { Occasion } from '../model/check.ts'

/**
 * When checks look at live CPUs: at the end of a schedule that is followed, at a sample of a free run, and where a free
 * run's actors all stand. What only the stored states of a search tell is left out.
 */
const LOOKS: Readonly<
  Record<Occasion, { readonly atEnd?: boolean; readonly inSample?: boolean; readonly whereAllStand?: boolean }>
> = {
  initial: { atEnd: true },
  terminal: { atEnd: true, whereAllStand: true },
  'wait-cycle': { atEnd: true, inSample: true, whereAllStand: true },
  broken: { atEnd: true, inSample: true, whereAllStand: true },
  sleep: { atEnd: true, inSample: true, whereAllStand: true },
  leftover: { atEnd: true, inSample: true, whereAllStand: true },
  rest: {},
  race: {},
}

/** The occasions of a look. */
export function occasionsOf(look: 'atEnd' | 'inSample' | 'whereAllStand'): readonly Occasion[] {
  return (Object.keys(LOOKS) as Occasion[]).filter((occasion) => LOOKS[occasion][look] ?? false)
}
