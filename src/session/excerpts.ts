import type { SourceMap } from '../runtime/source-map.ts'
import { ownPlaces } from '../report/places.ts'
import type { SourceExcerpt } from '../report/report.ts'
import type { Violation } from '../trace/violation.ts'

/** Lines shown before and after a place. */
const AROUND = 4

/** The parts of the model's files that violations' traces pass through; the simulated machine's own files are left out. */
export function excerpts(sourceMap: SourceMap, violations: readonly Violation[]): SourceExcerpt[] {
  const wanted = new Map<string, Set<number>>()
  for (const { file, line } of violations.flatMap(ownPlaces)) {
    const lines = wanted.get(file) ?? new Set()
    for (let at = line - AROUND; at <= line + AROUND; at++) lines.add(at)
    wanted.set(file, lines)
  }
  return [...wanted]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([file, lines]) => runs(file, sourceMap.linesOf(file) ?? [], lines))
}

/** The wanted lines of a file, those that follow one another together. */
function runs(file: string, text: readonly string[], wanted: ReadonlySet<number>): SourceExcerpt[] {
  const found: { file: string; line: number; lines: string[] }[] = []
  text.forEach((content, i) => {
    if (!wanted.has(i + 1)) return
    const last = found.at(-1)
    if (last && last.line + last.lines.length === i + 1) last.lines.push(content)
    else found.push({ file, line: i + 1, lines: [content] })
  })
  return found
}
