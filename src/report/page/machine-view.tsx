/// <reference lib="dom" />
import type { JSX } from 'preact'
import type { MachineObject } from '../../trace/trace.ts'
import type { MachineState, Timeline } from '../timeline.ts'
import { colourOf } from './colours.ts'

/** A machine's parts of one sort. */
interface Group {
  readonly title: string
  readonly objects: readonly MachineObject[]
}

/** Sorts of parts in the order in which they are shown: the first that fits. */
const SORTS: readonly (readonly [title: string, fits: (object: MachineObject) => boolean])[] = [
  ['Locks and queues', ({ type, fields }) => type !== 'page' && fields.some(({ role }) => role !== undefined)],
  ['Map entries', (object) => extentOf(object) !== null],
  ['Pages and frames', ({ type, fields }) => /page|frame/.test(type) && fields.length > 1],
  ['Page tables', ({ type }) => type === 'pte'],
  ['TLBs', ({ type }) => /tlb|bound/.test(type)],
  ['CPUs and threads', ({ type }) => type === 'cpu' || type === 'thread'],
]

/** The machine's state after a step: what the step changed is marked. */
export function MachineView({
  machine,
  timeline,
  step,
}: {
  readonly machine: readonly MachineObject[]
  readonly timeline: Timeline
  readonly step: number
}): JSX.Element | null {
  if (machine.length === 0) return null
  const state = timeline.states[step] as MachineState
  const before = timeline.states[Math.max(0, step - 1)] as MachineState
  return (
    <section aria-labelledby="machine" class="machine">
      <h2 id="machine">The machine {step === 0 ? 'at the start' : `after step ${step}`}</h2>
      <AddressSpace machine={machine} state={state} before={before} />
      {groups(machine).map(({ title, objects }) => (
        <Tables key={title} title={title} objects={objects} state={state} before={before} />
      ))}
    </section>
  )
}

function groups(machine: readonly MachineObject[]): Group[] {
  const titles = [...SORTS.map(([title]) => title), 'Everything else']
  const titleOf = (object: MachineObject): string => SORTS.find(([, fits]) => fits(object))?.[0] ?? 'Everything else'
  return titles
    .map((title) => ({ title, objects: machine.filter((object) => titleOf(object) === title) }))
    .filter(({ objects }) => objects.length > 0)
}

/** A table for each type: a row an object, a column a field. */
function Tables({
  title,
  objects,
  state,
  before,
}: Group & { readonly state: MachineState; readonly before: MachineState }): JSX.Element {
  const types = [...new Set(objects.map(shapeOf))]
  return (
    <>
      <h3>{title}</h3>
      {types.map((shape) => {
        const rows = objects.filter((object) => shapeOf(object) === shape)
        return (
          <div class="scroll" key={shape}>
            <table>
              <thead>
                <tr>
                  <td />
                  {rows[0]?.fields.map(({ name }) => (
                    <th scope="col" key={name}>
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map((object) => (
                  <tr key={object.name} class={isFree(object, state) ? 'free' : ''}>
                    <th scope="row">{object.name || object.type}</th>
                    {object.fields.map(({ field }) => (
                      <Cell key={field} field={field} state={state} before={before} />
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )
      })}
    </>
  )
}

function shapeOf({ type, fields }: MachineObject): string {
  return `${type} ${fields.map(({ name }) => name).join(' ')}`
}

function isFree({ fields }: MachineObject, state: MachineState): boolean {
  const alive = fields.find(({ name }) => name === 'allocated')
  return alive !== undefined && state[alive.field] === false
}

function Cell({
  field,
  state,
  before,
}: {
  readonly field: string
  readonly state: MachineState
  readonly before: MachineState
}): JSX.Element {
  const [now, then] = [showState(state[field]), showState(before[field])]
  const isEmpty = now === '–' || now === 'no' || now === '0'
  return (
    <td
      data-field={field}
      data-value={JSON.stringify(state[field] ?? null)}
      class={`${now === then ? '' : 'changed'}${isEmpty ? ' empty' : ''}`}
      title={now === then ? undefined : `was ${then}`}
    >
      {now}
      {now !== then && <span class="sr"> (was {then})</span>}
    </td>
  )
}

/** A value as people read it. */
export function showState(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return Array.isArray(value) ? value.join(', ') || '–' : String(value)
}

/** First and last page of what an object maps, by the names of its fields. */
function extentOf({
  fields,
}: MachineObject): { readonly start: string; readonly end: string; readonly isLength: boolean } | null {
  const find = (...names: string[]): string | undefined => fields.find(({ name }) => names.includes(name))?.field
  const start = find('start', 'first', 'base', 'from')
  const end = find('end', 'last', 'to')
  const length = find('size', 'length', 'pages', 'count')
  if (start === undefined || (end ?? length) === undefined) return null
  return { start, end: (end ?? length) as string, isLength: end === undefined }
}

/** Map entries as a strip of pages, marked with what is true of them. */
function AddressSpace({
  machine,
  state,
  before,
}: {
  readonly machine: readonly MachineObject[]
  readonly state: MachineState
  readonly before: MachineState
}): JSX.Element | null {
  const placed = machine.flatMap((object) => {
    const extent = extentOf(object)
    if (!extent || isFree(object, state)) return []
    const start = Number(state[extent.start])
    const end = extent.isLength ? start + Number(state[extent.end]) : Number(state[extent.end])
    return Number.isFinite(start) && end > start ? [{ object, start, end }] : []
  })
  if (placed.length === 0) return null
  const names = machine.filter((object) => extentOf(object) !== null).map(({ name }) => name)
  const from = Math.min(...placed.map(({ start }) => start))
  const to = Math.max(...placed.map(({ end }) => end))
  return (
    <div
      class="strip"
      role="list"
      aria-label={`Address space, pages ${from} to ${to - 1}`}
      style={{ gridTemplateColumns: `repeat(${to - from}, minmax(3.5rem, 1fr))` }}
    >
      {Array.from({ length: to - from }, (_, i) => (
        <span key={i} class="page-number" aria-hidden="true" style={{ gridColumn: i + 1, gridRow: 1 }}>
          {from + i}
        </span>
      ))}
      {placed.map(({ object, start, end }) => {
        const marks = object.fields.flatMap(({ name, field }) => markOf(name, state[field]))
        const isChanged = object.fields.some(
          ({ field }) => JSON.stringify(state[field]) !== JSON.stringify(before[field]),
        )
        return (
          <div
            key={object.name}
            role="listitem"
            class={`entry${isChanged ? ' changed' : ''}`}
            style={{
              gridColumn: `${start - from + 1} / ${end - from + 1}`,
              borderTopColor: colourOf(object.name, names),
            }}
          >
            <b>{object.name}</b>{' '}
            <span class="sr">
              pages {start} to {end - 1}
            </span>
            {marks.map((mark) => (
              <span class="mark" key={mark}>
                {mark}
              </span>
            ))}
          </div>
        )
      })}
    </div>
  )
}

/** What is worth a mark: flags that are set, counts that are not 0, and what it refers to. */
function markOf(name: string, value: unknown): string[] {
  if (
    [
      'start',
      'end',
      'first',
      'last',
      'base',
      'from',
      'to',
      'size',
      'length',
      'pages',
      'next',
      'allocated',
      'offset',
    ].includes(name)
  )
    return []
  if (value === true) return [name.replace(/([A-Z])/g, ' $1').toLowerCase()]
  if (typeof value === 'number' && value > 0) return [`${name} ${value}`]
  return typeof value === 'string' && value !== '' ? [`${name} ${value}`] : []
}
