import { TraceMap, originalPositionFor } from '@jridgewell/trace-mapping'
import type { Bundle } from '../bundle/bundle.ts'
import { isOwn } from '../source/places.ts'
import { stackOf } from '../source/thrown.ts'
import type { SourcePlace } from '../source/refusal.ts'

/** Finds places in a model's source for places in its bundled text. */
export class SourceMap {
  /** The script's name in stack traces. */
  readonly filename: string
  readonly #map: TraceMap

  constructor(bundle: Bundle) {
    this.filename = `vmcheck-model:${bundle.digest.slice(0, 12)}`
    this.#map = new TraceMap(bundle.map)
  }

  /** The topmost place of an error's stack that lies in the model's own files. */
  placeOf(error: unknown): SourcePlace | null {
    for (const line of stackOf(error).split('\n')) {
      const at = line.indexOf(this.filename)
      if (at < 0) continue
      const [row, column] = line
        .slice(at + this.filename.length + 1)
        .split(':')
        .map((text) => Number.parseInt(text, 10))
      const found = row && column ? this.#original(row, column) : null
      if (isOwn(found)) return found
    }
    return null
  }

  /** The lines of a file of the model's, as places name it; null: not known. */
  linesOf(file: string): readonly string[] | null {
    const index = this.#map.sources.indexOf(file)
    return this.#map.sourcesContent?.[index]?.split('\n') ?? null
  }

  #original(line: number, column: number): SourcePlace | null {
    const { source, line: row, column: col } = originalPositionFor(this.#map, { line, column: Math.max(0, column - 1) })
    if (!source || row === null) return null
    return { file: source, line: row, column: col + 1 }
  }
}
