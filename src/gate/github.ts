import { type Place, ownPlaces } from '../report/places.ts'
import { type Drift, type GateResult, caseName } from './gate-result.ts'

/** Annotations that GitHub shows of a step. */
const MAX_ANNOTATIONS = 10

/** Workflow commands that show what is wrong beside the code: results first, then drift. */
export function annotations(bad: readonly GateResult[], drifts: readonly Drift[]): string[] {
  const errors = bad.map((result) => {
    const at = placeOf(result)
    const command = result.status === 'inconclusive' ? 'warning' : 'error'
    return annotation(
      command,
      at,
      `vmcheck: ${caseName(result)}`,
      [...result.differences, ...(result.report?.commands ?? [])].join('\n'),
    )
  })
  const notes = drifts.map((drift) =>
    annotation(
      'error',
      { file: drift.file, line: 1, column: 1 },
      `vmcheck: ${caseName(drift)} is not as recorded`,
      drift.changes.join('\n'),
    ),
  )
  return [...errors, ...notes].slice(0, MAX_ANNOTATIONS)
}

function placeOf({ file, report }: GateResult): Place {
  const [violation] = report?.violations ?? []
  return (violation && ownPlaces(violation)[0]) ?? { file, line: 1, column: 1 }
}

function annotation(
  command: 'error' | 'warning',
  { file, line, column }: Place,
  title: string,
  message: string,
): string {
  return `::${command} file=${property(file)},line=${line},col=${column},title=${property(title)}::${data(message)}`
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
