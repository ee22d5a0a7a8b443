import { isOwn } from '../source/places.ts'
import type { TraceEvent } from '../trace/trace.ts'
import type { Violation } from '../trace/violation.ts'

/** A place in the model's files. */
export type Place = NonNullable<TraceEvent['at']>

/** The places in the model's own files that a violation names: those of its end, then its trace's, the last first. */
export function ownPlaces({ steps, waiting, accesses = [] }: Violation): Place[] {
  return [...waiting, ...accesses, ...steps.flatMap(({ events }) => events).toReversed()]
    .map(({ at }) => at)
    .filter(isOwn)
}
