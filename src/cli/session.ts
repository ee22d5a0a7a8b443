import { bundle } from '../compile/bundle.ts'
import { type LoadedModel, load } from '../compile/load.ts'
import { Refusal } from '../compile/refusal.ts'
import { Search, type SearchResult } from '../explore/search.ts'
import { shortestSchedule } from '../explore/shortest.ts'
import { AsymmetryError } from '../explore/symmetry/asymmetry.ts'
import type { UnusedSet } from '../explore/symmetry/sets.ts'
import { type System, buildSystem } from '../explore/system.ts'
import type { LocatedFinding } from '../explore/tally.ts'
import { Tracer } from '../explore/trace.ts'
import type { Report, Violation } from '../report/report.ts'
import { assemble, partialOrderNotes, profileOf, violationOf } from './assemble.ts'
import { followPaths } from './follow.ts'
import { ProgressLine } from './progress.ts'
import { type ExploreRequest, chooseChecks, chooseScenario, isPartialOrder, parametersOf } from './request.ts'
import type { Streams } from './streams.ts'

/** Loads a model's file. */
export async function loadModel(path: string, streams: Streams): Promise<LoadedModel> {
  return load(await bundle(path, streams.cwd, streams.cache))
}

/**
 * Explores one scenario of a loaded model and reports on it.
 * @throws UsageError for unknown scenarios, parameters or checks; Refusal for a model that cannot be explored
 */
export async function explore(loaded: LoadedModel, request: ExploreRequest, streams: Streams): Promise<Report> {
  if (request.strategy !== 'bfs') return followPaths(request.strategy, loaded, request, streams)
  const unlike: UnusedSet[] = []
  for (;;) {
    try {
      const report = await exploreWithout(unlike, loaded, request, streams)
      if (!isPassedBy(report)) return report
      // partial-order reduction passes by states that nothing but `m.sometimes` asks for
      const { reduce } = request
      return await exploreWithout(unlike, loaded, { ...request, reduce: reduce === 'all' ? 'symmetry' : 'none' }, streams)
    } catch (error) {
      if (!(error instanceof AsymmetryError)) throw error
      if (error.isDeclared) throw new Refusal(`${error.set} is declared interchangeable, but ${error.message}: do not declare it so, or explore with --reduce none`, error.at)
      unlike.push({ name: error.set, reason: error.message })
    }
  }
}

/** Whether what was found may have been passed by: under partial-order reduction, something that should hold sometimes. */
function isPassedBy({ stats, violations }: Report): boolean {
  return stats.reduction.includes('por') && violations.some(({ kind }) => kind === 'unreached')
}

/** Explores with some sets of CPUs not taken to be interchangeable. */
async function exploreWithout(unlike: readonly UnusedSet[], loaded: LoadedModel, request: ExploreRequest, streams: Streams): Promise<Report> {
  const { name, scenario } = chooseScenario(loaded, request.scenario)
  const params = parametersOf(loaded, scenario, request.settings)
  const checks = chooseChecks(request, scenario)
  const system = buildSystem(load(loaded.bundle), params) // a world of its own: machines freeze and number what they reach
  const granularity = request.granularity ?? scenario?.granularity ?? 'step'
  const line = new ProgressLine(streams, request.quiet)
  const search = new Search(system, {
    params,
    granularity,
    checks,
    keepGoing: request.keepGoing,
    symmetry: request.reduce === 'none' || request.reduce === 'por' ? null : { without: unlike.map((set) => set.name) },
    partialOrder: isPartialOrder(request),
    workers: request.workers,
    limits: request.limits,
    signal: streams.interrupt,
    progress: (progress) => line.update(progress),
    ...(request.tuning && { tuning: request.tuning }),
  })
  try {
    const result = await search.run()
    line.end()
    const violations: Violation[] = []
    for (const finding of result.findings) violations.push(await describe(search, system, result, finding))
    const unused = [...unlike, ...search.unused].map((set) => `${set.name} are not taken to be interchangeable: ${set.reason}`)
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
      reduction: [...(search.engine.symmetry ? ['symmetry'] : []), ...(isPartialOrder(request) ? ['por'] : [])],
      assumptions: [],
      notes: [...unused, ...partialOrderNotes({ system, checks, request, result })],
    })
    return request.profile ? { ...report, profile: profileOf(result) } : report
  } finally {
    line.end()
    await search.close()
  }
}

/** The trace of a finding, in kernel terms. */
async function describe(search: Search, system: System, result: SearchResult, finding: LocatedFinding): Promise<Violation> {
  const { kind, step } = finding
  if (kind === 'unreached') return violationOf(new Tracer(search.engine), system, finding, [], true)
  const level = step ? finding.depth - 1 : finding.depth
  const path = await shortestSchedule(search, result.levels, finding.state, level, step?.actor ?? -1)
  const schedule = step ? [...path, { actor: step.actor, choices: step.choices }] : path
  return violationOf(new Tracer(search.engine), system, finding, schedule, search.engine.selection === null)
}
