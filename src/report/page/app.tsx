/// <reference lib="dom" />
import { assumptionsLine } from '../assumptions.ts'
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Violation } from '../../trace/violation.ts'
import type { Report } from '../report.ts'
import { timelineOf } from '../timeline.ts'
import { accessLine, cutShort, inOrder, outcome, preemptionLine, statisticRows, subject, waitLine } from '../wording.ts'
import { Diagram } from './diagram.tsx'
import { MachineView } from './machine-view.tsx'
import { StepView, TraceList } from './step-view.tsx'
import { WaitGraph } from './wait-graph.tsx'

/** One thing to look at: a report, and a violation of it where it has one. */
interface View {
  readonly report: Report
  readonly violation: Violation | null
}

/** The whole page: of several reports and violations, one at a time. */
export function App({ reports }: { readonly reports: readonly Report[] }): JSX.Element {
  const views = useMemo(
    () =>
      reports.flatMap((report): View[] =>
        report.violations.length === 0
          ? [{ report, violation: null }]
          : report.violations.map((violation) => ({ report, violation })),
      ),
    [reports],
  )
  const [chosen, choose] = useState(
    Math.max(
      0,
      views.findIndex(({ violation }) => violation !== null),
    ),
  )
  const { report, violation } = views[chosen] ?? (views[0] as View)
  return (
    <main>
      {views.length > 1 && <Overview views={views} chosen={chosen} choose={choose} />}
      <Headline report={report} violation={violation} />
      {violation && <ViolationView key={chosen} report={report} violation={violation} />}
      <About report={report} />
    </main>
  )
}

function Overview({
  views,
  chosen,
  choose,
}: {
  readonly views: readonly View[]
  readonly chosen: number
  readonly choose: (view: number) => void
}): JSX.Element {
  return (
    <nav aria-label="What was explored">
      <ul class="overview">
        {views.map(({ report, violation }, i) => (
          <li key={i}>
            <button type="button" aria-current={i === chosen} onClick={() => choose(i)}>
              <span class={`dot ${report.verdict}`} aria-hidden="true" /> {report.model.scenario ?? report.model.name}:{' '}
              {violation?.kind ?? report.verdict}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function Headline({ report, violation }: View): JSX.Element {
  return (
    <header>
      <p class={`verdict ${report.verdict}`}>{violation?.kind ?? report.verdict}</p>
      <h1>{report.model.title}</h1>
      <p class="message">{violation ? violation.message : outcome(report)}</p>
      <p class="subject">{subject(report.model)}</p>
      {report.assumptions.length > 0 && <p class="subject">Assuming: {assumptionsLine(report.assumptions)}</p>}
    </header>
  )
}

/** A step asked for by the page's address, as `#step=12`; else the last. */
function stepAsked(last: number): number {
  const asked = Number(/step=(\d+)/.exec(location.hash)?.[1] ?? last)
  return Math.min(last, Math.max(0, asked))
}

/** A trace to step through. */
function ViolationView({ report, violation }: { readonly report: Report; readonly violation: Violation }): JSX.Element {
  const timeline = useMemo(() => timelineOf(report, violation), [report, violation])
  const last = violation.steps.length
  const [step, go] = useState(last)
  useEffect(() => go(stepAsked(last)), [last])
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const key = event.ctrlKey || event.metaKey || event.altKey ? undefined : KEYS[event.key]
      if (!key || (event.target as HTMLElement).tagName === 'INPUT') return
      event.preventDefault()
      go((now) => key(now, last)) // of the step that it is now: keys may come faster than the page is drawn
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [last])
  useEffect(() => {
    if (stepAsked(last) !== step) history.replaceState(null, '', `#step=${step}`)
  }, [step, last])
  return (
    <>
      {violation.waiting.length + (violation.accesses?.length ?? 0) + (violation.preemptions?.length ?? 0) > 0 && (
        <Ending report={report} violation={violation} />
      )}
      {last > 0 && (
        <>
          <Stepper step={step} last={last} go={go} />
          <div class="columns">
            <section aria-labelledby="diagram" class="wide">
              <h2 id="diagram">Space and time</h2>
              <Diagram violation={violation} timeline={timeline} step={step} go={go} />
            </section>
            <div>
              <StepView report={report} violation={violation} step={step} />
              <MachineView machine={report.machine ?? []} timeline={timeline} step={step} />
            </div>
          </div>
          <TraceList report={report} violation={violation} step={step} />
        </>
      )}
    </>
  )
}

/** What keys do: the step to go to. */
const KEYS: Readonly<Record<string, (step: number, last: number) => number>> = {
  ArrowRight: (step, last) => Math.min(last, step + 1),
  ArrowDown: (step, last) => Math.min(last, step + 1),
  j: (step, last) => Math.min(last, step + 1),
  ArrowLeft: (step) => Math.max(0, step - 1),
  ArrowUp: (step) => Math.max(0, step - 1),
  k: (step) => Math.max(0, step - 1),
  Home: () => 0,
  End: (_, last) => last,
}

function Stepper({
  step,
  last,
  go,
}: {
  readonly step: number
  readonly last: number
  readonly go: (step: number) => void
}): JSX.Element {
  const button = (to: number, label: string, sign: string): JSX.Element => (
    <button
      type="button"
      aria-label={label}
      title={label}
      disabled={to === step || to < 0 || to > last}
      onClick={() => go(to)}
    >
      {sign}
    </button>
  )
  return (
    <div class="stepper" role="group" aria-label="Step through the trace">
      {button(0, 'To the start', '«')}
      {button(step - 1, 'One step back', '‹')}
      <input
        type="range"
        min={0}
        max={last}
        value={step}
        aria-label="Step"
        aria-valuetext={`after step ${step} of ${last}`}
        onInput={(event) => go(Number(event.currentTarget.value))}
      />
      {button(step + 1, 'One step on', '›')}
      {button(last, 'To the end', '»')}
      <output id="position" aria-live="polite">
        {step === 0 ? 'at the start' : `step ${step} of ${last}`}
      </output>
      <span class="keys">keys: ← → Home End</span>
    </div>
  )
}

function Ending({ report, violation }: { readonly report: Report; readonly violation: Violation }): JSX.Element {
  const { waiting, accesses = [] } = violation
  const where = (at: Violation['waiting'][number]['at']): string => (at ? ` [${at.file}:${at.line}]` : '')
  return (
    <section aria-labelledby="ending">
      <h2 id="ending">{accesses.length > 0 ? 'Unordered accesses' : 'Final state'}</h2>
      <ul>
        {inOrder(waiting).map((wait) => (
          <li key={wait.actor}>
            {waitLine(report, wait)}
            {where(wait.at)}
          </li>
        ))}
        {accesses.map((access) => (
          <li key={access.actor}>
            {accessLine(report, access)}
            {where(access.at)}
          </li>
        ))}
      </ul>
      <WaitGraph report={report} waiting={waiting} />
      {violation.preemptions && violation.preemptions.length > 0 && (
        <>
          <h3>Preemptions</h3>
          <ul>
            {violation.preemptions.map((preemption) => (
              <li key={preemption.step}>
                {preemptionLine(report, preemption)}
                {where(preemption.at)}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

function About({ report }: { readonly report: Report }): JSX.Element {
  const rows = (list: readonly (readonly [string, string])[]): JSX.Element[] =>
    list.map(([name, value]) => (
      <tr key={name}>
        <th scope="row">{name}</th>
        <td>{value}</td>
      </tr>
    ))
  const params = Object.entries(report.model.params).map(([name, value]) => [name, String(value)] as const)
  return (
    <section aria-labelledby="about" class="about">
      <h2 id="about">About this search</h2>
      {report.commands && report.commands.length > 0 && (
        <>
          <h3>Again</h3>
          {report.commands.map((command) => (
            <pre key={command}>{command}</pre>
          ))}
        </>
      )}
      <div class="tables">
        {params.length > 0 && (
          <table>
            <caption>Parameters</caption>
            <tbody>{rows(params)}</tbody>
          </table>
        )}
        <table>
          <caption>Statistics</caption>
          <tbody>{rows(statisticRows(report))}</tbody>
        </table>
      </div>
      {[cutShort(report), ...report.notes].filter(Boolean).map((note) => (
        <p key={note}>Note: {note}</p>
      ))}
      {report.unreached.length > 0 && (
        <p>Never reached: {report.unreached.map(({ at }) => `${at.file}:${at.line}`).join(', ')}</p>
      )}
      <p class="subject">
        {report.tool.name} {report.tool.version}, model {report.model.digest.slice(0, 12)}
      </p>
    </section>
  )
}
