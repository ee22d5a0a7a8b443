/// <reference lib="dom" />
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Violation } from '../../trace/violation.ts'
import type { Stretch, Timeline } from '../timeline.ts'
import { stepLines } from '../wording.ts'
import { colourOf } from './colours.ts'

/** Sizes in pixels. */
const ROW = 26
const TOP = 34
const NUMBERS = 34
const BAR = 9
const LETTER = 6.7
/** Room for texts in all lanes together, and the least and most that one gets. */
const TEXTS = { all: 640, least: 210, most: 380 }
/** A frame narrower than this is shared out among its lanes, down to this much each. */
const NARROW = { frame: 640, least: 92 }
/** Steps that are drawn at once; of a longer trace only those in sight, and some beyond. */
const WHOLE = 600
const BEYOND = 60

/** The steps that are drawn: from one, counted from 0, up to before another. */
interface Sight {
  readonly from: number
  readonly to: number
}

/** What a lane needs: its stretches, each with a column of its own among those of the same time. */
interface LaneLayout {
  readonly x: number
  readonly width: number
  /** Where texts begin. */
  readonly text: number
  readonly bars: readonly { readonly stretch: Stretch; readonly column: number }[]
}

/** One lane a CPU, time running down: steps, what is held as bars, waits as gaps, wakeups and hand-overs as arrows. */
export function Diagram({
  violation,
  timeline,
  step,
  go,
}: {
  readonly violation: Violation
  readonly timeline: Timeline
  readonly step: number
  readonly go: (step: number) => void
}): JSX.Element {
  const frame = useRef<HTMLDivElement>(null)
  const { steps } = violation
  const [room, setRoom] = useState<number | null>(null)
  const [sight, look] = useState<Sight>({ from: Math.max(0, steps.length - WHOLE), to: steps.length })
  const lanes = useMemo(() => layOut(timeline, room), [timeline, room])
  const height = TOP + (steps.length + 1) * ROW
  const width = (lanes.at(-1)?.x ?? 0) + (lanes.at(-1)?.width ?? 0)
  const objects = [...new Set(timeline.holds.map(({ object }) => object))]
  const seen = timelineWithin(timeline, sight)
  const onScroll = (): void => {
    const now = inSight(frame.current, steps.length)
    if (now.from < sight.from || now.to > sight.to) look(widened(now, steps.length))
  }
  useEffect(() => {
    const measure = (): void => setRoom(frame.current?.clientWidth ?? null)
    measure()
    addEventListener('resize', measure)
    return () => removeEventListener('resize', measure)
  }, [])
  useEffect(() => {
    keepInSight(frame.current, TOP + step * ROW)
    onScroll()
  }, [step, room])
  return (
    <figure>
      <div
        class="diagram scroll"
        ref={frame}
        onScroll={onScroll}
        tabIndex={0}
        role="group"
        aria-label="Diagram of the trace; the list of all steps below says the same in words"
      >
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
          <defs>
            <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
              <path d="M0 0L8 4L0 8z" class="tip" />
            </marker>
          </defs>
          <rect
            class="now"
            x={0}
            y={step === 0 ? TOP - ROW / 2 : TOP + (step - 1) * ROW}
            width={width}
            height={step === 0 ? ROW / 2 : ROW}
          />
          {lanes.map((lane, i) => (
            <LaneView
              key={i}
              lane={lane}
              timeline={seen}
              index={i}
              length={steps.length}
              sight={sight}
              objects={objects}
            />
          ))}
          {steps.slice(sight.from, sight.to).map((one, k) => {
            const i = sight.from + k
            const lane = lanes[timeline.laneOf[one.actor] as number] as LaneLayout
            const y = TOP + i * ROW
            const [first, ...more] = stepLines(one)
            return (
              <g key={i} class={`step${i + 1 === step ? ' current' : ''}`} onClick={() => go(i + 1)}>
                <rect class="hit" x={0} y={y} width={width} height={ROW} />
                <text class="number" x={NUMBERS - 8} y={y + 17} text-anchor="end">
                  {i + 1}
                </text>
                <circle
                  cx={lane.text - 7}
                  cy={y + ROW / 2}
                  r={3.5}
                  class={one.why === 'continue' ? 'point' : 'point switch'}
                />
                <text x={lane.text} y={y + 17}>
                  {fit(
                    `${first}${more.length > 0 ? ` and ${more.length} more` : ''}`,
                    lane.x + lane.width - lane.text - 8,
                  )}
                  <title>{[one.because, ...stepLines(one)].filter(Boolean).join('\n')}</title>
                </text>
              </g>
            )
          })}
          {seen.arrows.map(({ kind, step: at, from, to, object }, i) => {
            const [a, b] = [
              lanes[timeline.laneOf[from] as number] as LaneLayout,
              lanes[timeline.laneOf[to] as number] as LaneLayout,
            ]
            const y = TOP + at * ROW + ROW - 4
            return a === b ? null : (
              <g key={`a${i}`} class={`arrow ${kind}`}>
                <line x1={a.text - 7} y1={y} x2={b.text - 7} y2={y} marker-end="url(#tip)" />
                <title>{`${kind}: ${object}`}</title>
              </g>
            )
          })}
        </svg>
      </div>
      <figcaption>
        {objects.map((object) => (
          <span class="key" key={object}>
            <span class="swatch" style={{ background: colourOf(object, objects) }} /> {object}
          </span>
        ))}
        {timeline.waits.length > 0 && (
          <span class="key">
            <span class="swatch waiting" /> waits
          </span>
        )}
        {timeline.arrows.length > 0 && (
          <span class="key">
            <span class="swatch line" /> wakeup or hand-over
          </span>
        )}
      </figcaption>
    </figure>
  )
}

function LaneView({
  lane,
  timeline,
  index,
  length,
  sight,
  objects,
}: {
  readonly lane: LaneLayout
  readonly timeline: Timeline
  readonly index: number
  readonly length: number
  readonly sight: Sight
  readonly objects: readonly string[]
}): JSX.Element {
  const { x, width, text, bars } = lane
  const waits = timeline.waits.filter(({ actor }) => timeline.laneOf[actor] === index)
  return (
    <g>
      <text class="lane" x={x + 4} y={20}>
        {fit(timeline.lanes[index]?.title ?? '', width - 8)}
      </text>
      <line class="life" x1={text - 7} y1={TOP - 6} x2={text - 7} y2={TOP + length * ROW} />
      {waits.map(({ from, to, object, how }, i) => {
        const y = TOP + (from + 1) * ROW
        const end = TOP + Math.max(from + 1, Math.min(length, to) + (to >= length ? 1 : 0)) * ROW
        return (
          <g key={i} class="wait">
            <rect x={text - 11} y={y} width={8} height={Math.max(6, end - y)} />
            {end - y >= ROW && (
              <text x={text} y={y + 17}>
                {fit(`waits: ${how} ${object}`, x + width - text - 8)}
              </text>
            )}
            <title>{`waits: ${how} ${object}`}</title>
          </g>
        )
      })}
      {bars
        .filter(({ stretch }) => isWithin(stretch, sight))
        .map(({ stretch: { from, to, object, how }, column }, i) => {
          const y = TOP + (from < 0 ? -0.4 : from + 0.5) * ROW
          return (
            <rect
              key={i}
              class="hold"
              x={x + 2 + column * BAR}
              y={y}
              width={BAR - 2}
              height={Math.max(5, TOP + (to >= length ? length + 0.8 : to + 0.5) * ROW - y)}
              rx={2}
              fill={colourOf(object, objects)}
            >
              <title>{`${object} (${how})`}</title>
            </rect>
          )
        })}
    </g>
  )
}

/** What of a timeline is seen: holds apart, which are laid out as a whole. */
function timelineWithin(timeline: Timeline, sight: Sight): Timeline {
  return {
    ...timeline,
    waits: timeline.waits.filter((wait) => isWithin(wait, sight)),
    arrows: timeline.arrows.filter(({ step }) => step >= sight.from && step < sight.to),
  }
}

function isWithin({ from, to }: Stretch, sight: Sight): boolean {
  return to >= sight.from - 1 && from < sight.to
}

/** @param room pixels of the frame; null: not known */
function layOut({ lanes, laneOf, holds }: Timeline, room: number | null): LaneLayout[] {
  const isNarrow = room !== null && room < NARROW.frame
  const texts = isNarrow
    ? Math.max(NARROW.least, (room - NUMBERS) / lanes.length - 4 * BAR - 20)
    : Math.max(TEXTS.least, Math.min(TEXTS.most, TEXTS.all / lanes.length))
  let x = NUMBERS
  return lanes.map((_, i) => {
    const ends: number[] = []
    const bars = holds
      .filter(({ actor }) => laneOf[actor] === i)
      .map((stretch) => {
        let column = ends.findIndex((end) => end <= stretch.from)
        if (column < 0) column = ends.length
        ends[column] = stretch.to
        return { stretch, column }
      })
    const text = x + ends.length * BAR + 20
    const lane = { x, width: text - x + texts, text, bars }
    x += lane.width
    return lane
  })
}

function fit(text: string, width: number): string {
  const letters = Math.max(3, Math.floor(width / LETTER))
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`
}

/** Scrolls a frame so that what is at some height is seen. */
function keepInSight(frame: HTMLElement | null, y: number): void {
  if (!frame || frame.scrollHeight <= frame.clientHeight) return
  if (y < frame.scrollTop + 2 * ROW || y > frame.scrollTop + frame.clientHeight - 2 * ROW)
    frame.scrollTop = Math.max(0, y - frame.clientHeight / 2)
}

/** Steps that a frame shows as it is scrolled now; all, where everything is drawn. */
function inSight(frame: HTMLElement | null, count: number): Sight {
  if (!frame || count <= WHOLE) return { from: 0, to: count }
  const from = Math.floor((frame.scrollTop - TOP) / ROW)
  return { from: Math.max(0, from), to: Math.min(count, from + Math.ceil(frame.clientHeight / ROW) + 1) }
}

function widened({ from, to }: Sight, count: number): Sight {
  return { from: Math.max(0, from - BEYOND), to: Math.min(count, to + BEYOND) }
}
