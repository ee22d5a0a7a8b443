/// <reference lib="dom" />
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { TraceEvent } from '../../trace/trace.ts'
import type { Violation } from '../../trace/violation.ts'
import type { Report } from '../report.ts'
import { showState } from './machine-view.tsx'
import { actorTitle, nothingTold, stepLines, toldEvents } from '../wording.ts'

/** What the current step did, and where in the source. */
export function StepView({
  report,
  violation,
  step,
}: {
  readonly report: Report
  readonly violation: Violation
  readonly step: number
}): JSX.Element {
  const current = violation.steps[step - 1]
  return (
    <section aria-labelledby="step" class="current-step">
      <h2 id="step">{current ? `Step ${step}: ${actorTitle(report, current.actor)}` : 'Before the first step'}</h2>
      {current?.because && <p class="because">{current.because}</p>}
      {current && (
        <ul>
          {toldEvents(current).map(({ text, event }, i) => (
            <li key={i}>
              <code>{text}</code>
              {event.at && (
                <small>
                  {' '}
                  {event.function.at(-1)}() {event.at.file}:{event.at.line}
                </small>
              )}
            </li>
          ))}
          {toldEvents(current).length === 0 && <li>{nothingTold(current)}</li>}
        </ul>
      )}
      {current && <Source report={report} events={current.events} />}
    </section>
  )
}

/** Lines of the model around the last place of a step, those that it passed marked. */
function Source({
  report,
  events,
}: {
  readonly report: Report
  readonly events: readonly TraceEvent[]
}): JSX.Element | null {
  const place = events.findLast(({ at }) => at && excerptOf(report, at))?.at
  const excerpt = place && excerptOf(report, place)
  if (!place || !excerpt) return null
  const passed = new Set(events.flatMap(({ at }) => (at?.file === place.file ? [at.line] : [])))
  const from = Math.max(0, place.line - excerpt.line - 4)
  return (
    <figure class="source">
      <figcaption>
        {place.file}:{place.line}
      </figcaption>
      <pre>
        {excerpt.lines.slice(from, place.line - excerpt.line + 5).map((text, i) => {
          const line = excerpt.line + from + i
          return (
            <span key={line} class={passed.has(line) ? 'passed' : ''}>
              <i aria-hidden="true">{String(line).padStart(4)} </i>
              {text}
              {'\n'}
            </span>
          )
        })}
      </pre>
    </figure>
  )
}

function excerptOf(
  { sources = [] }: Report,
  at: NonNullable<TraceEvent['at']>,
): NonNullable<Report['sources']>[number] | undefined {
  return sources.find(({ file, line, lines }) => file === at.file && at.line >= line && at.line < line + lines.length)
}

/** Steps that are listed at once. */
const WHOLE = 600

/** All steps in words, of a long trace those around the current one: what paper and screen readers get instead of the diagram. */
export function TraceList({
  report,
  violation,
  step,
}: {
  readonly report: Report
  readonly violation: Violation
  readonly step: number
}): JSX.Element {
  const { steps } = violation
  const isWhole = steps.length <= WHOLE
  const from = isWhole ? 0 : Math.min(Math.max(0, steps.length - WHOLE), Math.max(0, step - WHOLE / 2))
  const [isOpen, open] = useState(false)
  // of a long trace nothing is made that no one looks at
  const shown = isWhole || isOpen ? steps.slice(from, from + WHOLE) : []
  return (
    <details class="trace" onToggle={(event) => open(event.currentTarget.open)}>
      <summary>
        {isWhole
          ? `All ${steps.length} steps in words`
          : `Steps ${from + 1} to ${from + WHOLE} of ${steps.length} in words, those around the current one`}
      </summary>
      <ol start={from + 1}>
        {shown.map((one, i) => (
          <li key={from + i}>
            <b>{actorTitle(report, one.actor)}</b>
            {one.because && <em> ({one.because})</em>}: {stepLines(one).join('; ')}
            {one.changes.length > 0 && (
              <small> [{one.changes.map(({ field, to }) => `${field} = ${showState(to)}`).join(', ')}]</small>
            )}
          </li>
        ))}
      </ol>
    </details>
  )
}
