import type { LoadedModel } from '../runtime/load.ts'
import { PathSearch } from '../explore/paths/path-search.ts'
import { STRATEGIES } from '../explore/paths/strategies.ts'
import type { PathStrategyName } from '../source/strategy-names.ts'
import { Tracer } from '../explore/witness/tracer.ts'
import type { Report } from '../report/report.ts'
import { assemble, violationOf } from './assemble.ts'
import { type ExploreRequest, chooseChecks, prepare } from './request.ts'
import type { Environment } from './environment.ts'

/**
 * Explores by a strategy that follows one execution after another.
 *
 * @param withHangs looks for hangs that only the finished graph shows, where a report passes
 */
export async function followPaths(
  name: PathStrategyName,
  loaded: LoadedModel,
  request: ExploreRequest,
  environment: Environment,
  withHangs: (report: Report) => Promise<Report>,
): Promise<Report> {
  const prepared = prepare(loaded, request)
  const { params, granularity, system } = prepared
  const checks = chooseChecks(request, prepared.scenario)
  const strategy = STRATEGIES[name].create({
    actors: system.actors.length,
    seed: request.seed,
    runs: request.runs,
    bugDepth: request.bugDepth,
  })
  const search = new PathSearch(system, {
    params,
    granularity,
    checks,
    keepGoing: request.keepGoing,
    strategy,
    isStateless: name === 'dpor',
    preemptions: request.preemptions,
    limits: request.limits,
    signal: environment.signal,
    progress: (progress) => environment.onProgress(progress),
  })
  const result = await environment.interruptible(() => search.run())
  if (name === 'dpor' && result.findings.some(({ finding }) => finding.kind === 'unreached'))
    return await followPaths('dfs', loaded, request, environment, withHangs) // it passes by states
  const violations = result.findings.map(({ finding, schedule }) =>
    violationOf(new Tracer(search.engine), system, finding, schedule, false),
  )
  const report = assemble({
    loaded,
    system,
    name: prepared.name,
    params,
    checks,
    granularity,
    request,
    result,
    violations,
    reduction: name === 'dpor' ? ['por'] : [],
    assumed: [],
    notes: result.notes,
  })
  // along one path it cannot be seen who will never move again: the states are gone through once more
  const mayHang = name === 'dfs' && report.verdict === 'pass' && result.looped && checks.some(({ hang }) => hang)
  return mayHang ? await withHangs(report) : report
}
