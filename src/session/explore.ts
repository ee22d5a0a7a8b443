import { bundle } from '../bundle/bundle.ts'
import { type LoadedModel, load } from '../runtime/load.ts'
import { Search } from '../explore/search/search.ts'
import type { SearchResult } from '../explore/search/search-result.ts'
import { shortestSchedule } from '../explore/witness/shortest.ts'
import type { UnusedSet } from '../explore/symmetry/sets.ts'
import type { System } from '../explore/state/system.ts'
import type { LocatedFinding } from '../explore/successors/findings.ts'
import { Tracer } from '../explore/witness/tracer.ts'
import type { Report } from '../report/report.ts'
import type { Violation } from '../trace/violation.ts'
import { assemble, partialOrderNotes, profileOf, violationOf } from './assemble.ts'
import { KeptSearch, naming } from './checkpoint.ts'
import { explain } from './explain.ts'
import { followPaths } from './follow-paths.ts'
import { type ExploreRequest, chooseChecks, prepare, reductionsOf } from './request.ts'
import type { Environment } from './environment.ts'
import { withoutUnlike } from '../explore/symmetry/retry.ts'

/** Loads a model's file. */
export async function loadModel(path: string, environment: Environment): Promise<LoadedModel> {
  return load(await bundle(path, environment.cwd, environment.cache))
}

/**
 * Explores one scenario of a loaded model and reports on it.
 *
 * @throws UsageError for unknown scenarios, parameters or checks; Refusal for a model that cannot be explored
 */
export async function explore(loaded: LoadedModel, request: ExploreRequest, environment: Environment): Promise<Report> {
  if (request.strategy !== 'bfs')
    return followPaths(request.strategy, loaded, request, environment, (report) =>
      withHangs(report, loaded, request, environment),
    )
  const { checkpoint } = request
  const body = (kept: KeptSearch | null): Promise<Report> =>
    withoutUnlike(async (unlike) => {
      const report = await exploreWithout(unlike, loaded, request, environment, kept)
      if (!isPassedBy(report)) return report
      // partial-order reduction passes by states that nothing but `m.sometimes` asks for
      return exploreWithout(
        unlike,
        loaded,
        { ...request, reduce: request.reduce === 'all' ? 'symmetry' : 'none' },
        environment,
        null,
      )
    }, kept?.unlike)
  return checkpoint
    ? naming(checkpoint.folder, async () => body(await KeptSearch.open(checkpoint, environment)))
    : body(null)
}

/** A report of a search along paths that passes, once the hang check has gone through the states breadth first; else what that finds. */
async function withHangs(
  report: Report,
  loaded: LoadedModel,
  request: ExploreRequest,
  environment: Environment,
): Promise<Report> {
  const breadth = await explore(
    loaded,
    { ...request, strategy: 'bfs', reduce: 'none', preemptions: Infinity },
    environment,
  )
  const note = 'the hang check went through the states breadth first'
  return breadth.verdict === 'pass'
    ? { ...report, notes: [...(report.notes ?? []), note] }
    : {
        ...breadth,
        stats: { ...breadth.stats, strategy: report.stats.strategy },
        notes: [...(breadth.notes ?? []), note],
      }
}

/** Whether what was found may have been passed by: under partial-order reduction, something that should hold sometimes. */
function isPassedBy({ stats, violations }: Report): boolean {
  return stats.reduction.includes('por') && violations.some(({ kind }) => kind === 'unreached')
}

/** Explores with some sets of CPUs not taken to be interchangeable. */
async function exploreWithout(
  unlike: readonly UnusedSet[],
  loaded: LoadedModel,
  request: ExploreRequest,
  environment: Environment,
  kept: KeptSearch | null,
): Promise<Report> {
  const prepared = prepare(loaded, request)
  const { name, scenario, params, granularity, system } = prepared
  const checks = chooseChecks(request, scenario)
  const reductions = reductionsOf(
    request.reduce,
    unlike.map((set) => set.name),
  )
  const search = new Search(system, {
    params,
    granularity,
    checks,
    keepGoing: request.keepGoing,
    reductions,
    workers: request.workers,
    limits: request.limits,
    signal: environment.signal,
    progress: (progress) => environment.onProgress(progress),
    ...(kept && { checkpoints: kept.checkpoints(loaded.bundle, prepared, checks, unlike, request) }),
    warn: (message) => environment.warn(message),
    ...(request.tuning && { tuning: request.tuning }),
  })
  try {
    const { result, violations } = await environment.interruptible(async () => {
      const result = await search.run()
      const violations: Violation[] = []
      for (const finding of result.findings) {
        const violation = await describe(search, system, result, finding)
        violations.push(
          request.explain
            ? await explain(violation, new Tracer(search.engine), checks, loaded, request, environment)
            : violation,
        )
      }
      return { result, violations }
    }, request.limits.time)
    const unused = [...unlike, ...search.engine.unused].map(
      (set) => `${set.name} are not taken to be interchangeable: ${set.reason}`,
    )
    const report = assemble({
      loaded,
      system,
      name,
      params,
      checks,
      granularity,
      request,
      result: { ...result, executions: 0 },
      violations,
      reduction: [...(search.engine.symmetry ? ['symmetry'] : []), ...(search.engine.persistentSets ? ['por'] : [])],
      assumed: search.engine.sampled.map((set) => ({ code: 'symmetry-sampled' as const, set })),
      notes: [...unused, ...(reductions.partialOrder ? partialOrderNotes(system, checks, result) : [])],
    })
    return request.profile ? { ...report, profile: profileOf(result) } : report
  } finally {
    await search.close()
  }
}

/** The trace of a finding, in kernel terms. */
async function describe(
  search: Search,
  system: System,
  result: SearchResult,
  finding: LocatedFinding,
): Promise<Violation> {
  const { kind, step } = finding
  if (kind === 'unreached') return violationOf(new Tracer(search.engine), system, finding, [], true)
  const level = step ? finding.depth - 1 : finding.depth
  const path = await shortestSchedule(search, result.levels, finding.state, level, step?.actor ?? -1)
  const schedule = step ? [...path, { actor: step.actor, choices: step.choices }] : path
  return violationOf(new Tracer(search.engine), system, finding, schedule, search.engine.persistentSets === null)
}
