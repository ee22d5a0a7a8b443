import { basename } from 'node:path'
import { checks as allChecks } from '../../checks/index.ts'
import { bundle } from '../compile/bundle.ts'
import { type LoadedModel, load } from '../compile/load.ts'
import { Refusal } from '../compile/refusal.ts'
import type { Granularity } from '../explore/step-memory.ts'
import type { LocatedFinding } from '../explore/tally.ts'
import { type ScheduledStep, formatSchedule } from '../explore/schedule.ts'
import { type PathResult, PathSearch } from '../explore/paths/path-search.ts'
import { type PathStrategyName, STRATEGIES } from '../explore/paths/strategies.ts'
import { type Limits, Search, type SearchResult, type StopReason } from '../explore/search.ts'
import { type StateGraph, stateGraph } from '../explore/state-graph.ts'
import { shortestSchedule } from '../explore/shortest.ts'
import { AsymmetryError } from '../explore/symmetry/asymmetry.ts'
import type { UnusedSet } from '../explore/symmetry/sets.ts'
import { type System, buildSystem } from '../explore/system.ts'
import { Tracer } from '../explore/trace.ts'
import type { Tuning } from '../explore/tuning.ts'
import type { Check, Finding } from '../model/check.ts'
import type { Scenario } from '../model/model.ts'
import { ParameterError, resolveParameters } from '../model/parameters.ts'
import { type Report, SEMANTICS, type SearchProfile, type Unreached, type Violation } from '../report/report.ts'
import { ProgressLine } from './progress.ts'
import type { Streams } from './streams.ts'
import { UsageError } from './usage-error.ts'
import { version } from './version.ts'

/** Which reductions are asked for. */
export type Reduce = 'none' | 'symmetry' | 'por' | 'all'

/** What one exploration is asked to do, defaults filled in. */
export interface ExploreRequest {
  readonly scenario: string | null
  readonly settings: readonly string[]
  /** Granularity asked for; null: the scenario's. */
  readonly granularity: Granularity | null
  readonly check: readonly string[]
  readonly noCheck: readonly string[]
  readonly keepGoing: boolean
  readonly strategy: 'bfs' | PathStrategyName
  readonly reduce: Reduce
  /** Of the strategies that follow executions: see there. */
  readonly seed: number
  readonly runs: number
  readonly bugDepth: number
  readonly preemptions: number
  readonly workers: number
  readonly limits: Limits
  readonly quiet: boolean
  /** Whether the report says where the time went. */
  readonly profile: boolean
  /** Other sizes than the usual ones, on which no result depends. */
  readonly tuning?: Partial<Tuning>
}

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

/** Explores by a strategy that follows one execution after another. */
async function followPaths(name: PathStrategyName, loaded: LoadedModel, request: ExploreRequest, streams: Streams): Promise<Report> {
  const chosen = chooseScenario(loaded, request.scenario)
  const params = parametersOf(loaded, chosen.scenario, request.settings)
  const checks = chooseChecks(request, chosen.scenario)
  const system = buildSystem(load(loaded.bundle), params)
  const granularity = request.granularity ?? chosen.scenario?.granularity ?? 'step'
  const line = new ProgressLine(streams, request.quiet)
  const strategy = STRATEGIES[name]({ actors: system.actors.length, seed: request.seed, runs: request.runs, bugDepth: request.bugDepth })
  const search = new PathSearch(system, {
    params,
    granularity,
    checks,
    keepGoing: request.keepGoing,
    strategy,
    isStateless: name === 'dpor',
    preemptions: request.preemptions,
    limits: request.limits,
    signal: streams.interrupt,
    progress: (progress) => line.update(progress),
  })
  try {
    const result = await search.run()
    line.end()
    if (name === 'dpor' && result.findings.some(({ finding }) => finding.kind === 'unreached')) return await followPaths('dfs', loaded, request, streams) // it passes by states
    const violations = result.findings.map(({ finding, schedule }) => violationOf(new Tracer(search.engine), system, finding, schedule, false))
    const assumptions = name === 'dfs' && checks.some(({ hang }) => hang) && result.looped ? ['of hangs, only standstills and cycles of waits are looked for: steps go round a loop'] : []
    return assemble({ loaded, system, name: chosen.name, params, checks, granularity, request, result, violations, reduction: name === 'dpor' ? ['por'] : [], assumptions, notes: result.notes })
  } finally {
    line.end()
  }
}

/** What a graph is made of. */
export interface GraphRequest extends Pick<ExploreRequest, 'scenario' | 'settings' | 'granularity'> {
  readonly reduce: 'none' | 'symmetry'
  readonly maxStates: number
  readonly memory: number
}

/**
 * The states of one scenario and the steps between them, whatever is wrong with them.
 * @throws UsageError for unknown scenarios or parameters; Refusal for a model that cannot be explored
 */
export async function searchGraph(loaded: LoadedModel, request: GraphRequest, streams: Streams): Promise<{ readonly graph: StateGraph; readonly stopped: StopReason | null; readonly name: string }> {
  const { name, scenario } = chooseScenario(loaded, request.scenario)
  const params = parametersOf(loaded, scenario, request.settings)
  const search = new Search(buildSystem(load(loaded.bundle), params), {
    params,
    granularity: request.granularity ?? scenario?.granularity ?? 'step',
    checks: [],
    keepGoing: true,
    symmetry: request.reduce === 'symmetry' ? { without: [] } : null,
    partialOrder: false,
    workers: 1, // with a bound, the states nearest to the initial one
    limits: { maxStates: request.maxStates, maxDepth: Infinity, time: Infinity, memory: request.memory },
    signal: streams.interrupt,
    progress: () => {},
  })
  try {
    const { stopped } = await search.run()
    return { graph: stateGraph(search.engine, request.maxStates), stopped: stopped?.reason ?? null, name: [loaded.model.title, name].filter(Boolean).join(', ') }
  } finally {
    await search.close()
  }
}

function chooseScenario({ model, bundle: { file } }: LoadedModel, asked: string | null): { name: string | null; scenario: Scenario<Record<string, unknown>> | null } {
  const known = [...model.scenarios.keys()]
  const name = asked ?? known[0] ?? null
  if (name === null) return { name, scenario: null }
  const scenario = model.scenarios.get(name)
  if (!scenario) throw new UsageError(`${file} has no scenario "${name}"; it has: ${known.join(', ') || 'none'}`)
  return { name, scenario }
}

function parametersOf({ model }: LoadedModel, scenario: Scenario<Record<string, unknown>> | null, settings: readonly string[]): Record<string, unknown> {
  try {
    return resolveParameters(model.parameters, scenario?.params ?? {}, settings)
  } catch (error) {
    if (error instanceof ParameterError) throw new UsageError(error.message)
    throw error
  }
}

function chooseChecks(request: ExploreRequest, scenario: Scenario<Record<string, unknown>> | null): readonly Check[] {
  const known = allChecks.map(({ name }) => name)
  for (const name of [...request.check, ...request.noCheck, ...(scenario?.checks ?? [])]) {
    if (!known.includes(name)) throw new UsageError(`unknown check "${name}"; known: ${known.join(', ')}`)
  }
  const wanted = request.check.length > 0 ? request.check : (scenario?.checks ?? known)
  // an exception is the model's own failure: it is reported unless it is switched off by name
  return allChecks.filter(({ name }) => (wanted.includes(name) || name === 'exception') && !request.noCheck.includes(name))
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

function violationOf(tracer: Tracer, system: System, finding: Finding, schedule: readonly ScheduledStep[], minimal: boolean): Violation {
  const { kind, property, message } = finding
  const steps = tracer.trace(schedule)
  const stuck = finding.stuck ?? []
  const isHang = finding.stuck !== undefined
  const racing = kind === 'data-race' ? tracer.racing(property).slice(0, 2) : []
  return {
    kind,
    property,
    message,
    minimal,
    stuck,
    schedule,
    schedule_string: formatSchedule(schedule),
    steps,
    waiting: isHang ? tracer.waiting(system.actors.filter((actor) => stuck.includes(actor.id) || tracer.isBlocked(actor))) : [],
    ...(racing.length > 0 && { accesses: racing }),
  }
}

function assemble(parts: {
  readonly loaded: LoadedModel
  readonly system: System
  readonly name: string | null
  readonly params: Readonly<Record<string, unknown>>
  readonly checks: readonly Check[]
  readonly granularity: Granularity
  readonly request: ExploreRequest
  readonly result: Pick<SearchResult, Exclude<keyof SearchResult & keyof PathResult, 'findings' | 'stopped'>> & Pick<PathResult, 'executions' | 'stopped'>
  readonly violations: readonly Violation[]
  readonly reduction: readonly string[]
  readonly assumptions: readonly string[]
  readonly notes: readonly string[]
}): Report {
  const { loaded, system, result, violations, request } = parts
  const { file, digest } = loaded.bundle
  const off = allChecks.filter((check) => !parts.checks.includes(check)).map(({ name }) => `${name} check off`)
  if (result.pruned > 0) off.push(`${result.pruned} steps end in what a check that is off would report; nothing beyond them is explored`)
  if (request.preemptions < Infinity) off.push(`preemptions <= ${request.preemptions}`)
  const verdict = violations.length > 0 ? 'violation' : result.stopped ? 'inconclusive' : 'pass'
  return {
    schema: 'vmcheck.report/1',
    model: { name: basename(file).replace(/\.m?[tj]s$/, ''), file, title: loaded.model.title, scenario: parts.name, params: parts.params, digest },
    verdict,
    exhaustive: result.exhaustive,
    assumptions: [...off, ...parts.assumptions],
    notes: parts.notes,
    violations,
    actors: system.actors.map(({ id, name, cpu, kind }) => ({ id, name, cpu: cpu.index, kind })),
    inconclusive: verdict === 'inconclusive' ? result.stopped : null,
    unreached: verdict === 'pass' ? unreachedCode(system, result.coverage) : [],
    stats: {
      strategy: request.strategy,
      reduction: parts.reduction,
      granularity: parts.granularity,
      semantics: SEMANTICS,
      workers: request.strategy === 'bfs' ? request.workers : 1,
      states: result.states,
      transitions: result.transitions,
      executions: result.executions,
      depth: result.depth,
      endStates: result.endStates,
      seconds: Math.round(result.seconds * 1000) / 1000,
      bytesPerState: Math.round(result.bytesPerState * 10) / 10,
      memoryBytes: result.bytes,
    },
    tool: { name: 'vmcheck', version: version() },
  }
}

/** What partial-order reduction came to, where properties keep it from doing much. */
function partialOrderNotes({ system, checks, request, result }: { readonly system: System; readonly checks: readonly Check[]; readonly request: ExploreRequest; readonly result: SearchResult }): string[] {
  const evaluated = system.machine.properties.filter(({ form }) => form === 'always' && checks.some(({ evaluates }) => evaluates?.includes(form)))
  if (!isPartialOrder(request) || evaluated.length === 0) return []
  const share = Math.round((100 * result.alone) / Math.max(1, result.states))
  return [`partial-order reduction helped in ${share} % of the states: it leaves every step alone that writes what ${evaluated.map(({ name }) => `“${name}”`).join(', ')} reads, for that is evaluated in every state`]
}

function isPartialOrder({ reduce }: ExploreRequest): boolean {
  return reduce === 'por' || reduce === 'all'
}

function profileOf({ effort, cpu, transitions, states, seconds }: SearchResult): SearchProfile {
  const { times, asked, executed } = effort
  return { seconds, cpu, milliseconds: times, states, transitions, asked, executed }
}

/** Points and branches of the user's files that no step and no set-up code reached. */
function unreachedCode(system: System, coverage: Uint8Array): Unreached[] {
  const found: Unreached[] = []
  system.runtime.sites.forEach(({ file, line, column, kind, counted }, site) => {
    if (counted && kind !== 'place' && coverage[site] === 0 && line > 0) found.push({ what: kind, at: { file, line, column } })
  })
  return found.toSorted((a, b) => (a.at.file < b.at.file ? -1 : a.at.file > b.at.file ? 1 : a.at.line - b.at.line || a.at.column - b.at.column))
}

/** The exit status that a verdict stands for. */
export function exitStatus(verdict: Report['verdict']): 0 | 1 | 3 {
  return verdict === 'pass' ? 0 : verdict === 'violation' ? 1 : 3
}

