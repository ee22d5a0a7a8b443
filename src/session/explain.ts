import { PathSearch } from '../explore/paths/path-search.ts'
import { STRATEGIES } from '../explore/paths/strategies.ts'
import type { Stretch } from '../explore/paths/uninterrupted.ts'
import type { PreemptionPoint, Tracer } from '../explore/witness/tracer.ts'
import type { Check, Finding } from '../model/check.ts'
import type { Preemption, Violation } from '../trace/violation.ts'
import type { LoadedModel } from '../runtime/load.ts'
import { type ExploreRequest, prepare } from './request.ts'
import type { Environment } from './environment.ts'

/** What searches without some preemption show. */
type Without = Pick<Preemption, 'verdict' | 'scope' | 'states'>

/**
 * Says of each preemption of a violation's trace whether the violation needs it: searches of all executions in which
 * no one is preempted at that place of the code, and then within the whole function, find the violation all the same or
 * find none.
 *
 * @param tracer a fresh one
 * @param checks those that are on
 */
export async function explain(
  violation: Violation,
  tracer: Tracer,
  checks: readonly Check[],
  loaded: LoadedModel,
  request: ExploreRequest,
  environment: Environment,
): Promise<Violation> {
  const points = tracer.preemptions(violation.schedule)
  const known = new Map<string, Without>()
  const search = (stretch?: Stretch): Promise<Searched> =>
    searched(violation, checks, loaded, request, environment, stretch)
  // what only the finished graph shows, a search for single states cannot tell apart
  const isSeen = points.length > 0 && (await search()).verdict === 'incidental'
  for (const { place, within } of points)
    if (!known.has(place))
      known.set(
        place,
        isSeen ? await without(place, within, search) : { verdict: 'undecided', scope: 'place', states: 0 },
      )
  return {
    ...violation,
    preemptions: points.map(({ step, actor, place, within, at }) => ({
      step,
      actor,
      within: within?.name ?? null,
      at,
      ...(known.get(place) as Without),
    })),
  }
}

async function without(
  place: string,
  within: PreemptionPoint['within'],
  search: (stretch: Stretch) => Promise<Searched>,
): Promise<Without> {
  const there: Without = { scope: 'place', ...(await search({ place })) }
  if (there.verdict !== 'incidental' || !within) return there
  return { scope: 'function', ...(await search({ function: within.function })) }
}

/** How a search came out. */
type Searched = Pick<Preemption, 'verdict' | 'states'>

/** Searches for a violation of the same kind and property, with no one preempted in a stretch of code. */
async function searched(
  violation: Violation,
  checks: readonly Check[],
  loaded: LoadedModel,
  request: ExploreRequest,
  environment: Environment,
  uninterrupted?: Stretch,
): Promise<Searched> {
  const { params, granularity, system } = prepare(loaded, request)
  const search = new PathSearch(system, {
    params,
    granularity,
    checks: checks.map((check) => only(check, violation)),
    keepGoing: false,
    strategy: STRATEGIES.dfs.create({
      actors: system.actors.length,
      seed: request.seed,
      runs: request.runs,
      bugDepth: request.bugDepth,
    }),
    isStateless: false,
    preemptions: Infinity,
    limits: request.limits,
    signal: environment.signal,
    progress: () => {},
    ...(uninterrupted && { uninterrupted }),
  })
  const { findings, stopped, states } = await search.run()
  return { verdict: findings.length > 0 ? 'incidental' : stopped ? 'undecided' : 'essential', states }
}

/** A check that finds nothing but one violation, and that in single states. */
function only(check: Check, { kind, property }: Violation): Check {
  const isMeant = (finding: Finding): boolean => finding.kind === kind && finding.property === property
  const found = (finding: Finding | null): Finding | null => (finding && isMeant(finding) ? finding : null)
  const { state, fault, end: _end, hang: _hang, ...rest } = check
  return {
    ...rest,
    ...(state && { state: (view: Parameters<typeof state>[0]) => state.call(check, view).filter(isMeant) }),
    ...(fault && { fault: (met: Parameters<typeof fault>[0]) => found(fault.call(check, met)) }),
  }
}
