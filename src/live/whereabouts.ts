import type { SourceMap } from '../runtime/source-map.ts'
import { stackOf } from '../source/thrown.ts'
import type { Whereabouts } from '../trace/narration.ts'

/** Where in a model's code an error was made: the generator functions of the model on its stack, outermost first, and the place. */
export function whereaboutsOf(error: Error, sourceMap: SourceMap): Whereabouts {
  const functions: string[] = []
  const lines = stackOf(error).split('\n')
  lines.forEach((line, i) => {
    // a generator's frame is followed by the call that resumed it
    if (!line.includes(sourceMap.filename) || !/^\s*at .*\.next \(<anonymous>\)/.test(lines[i + 1] ?? '')) return
    functions.unshift(/^\s*at (?:[\w$#]+\.)*([\w$#]+)(?: \[as [^\]]*\])? \(/.exec(line)?.[1] ?? 'program')
  })
  return { function: functions, at: sourceMap.placeOf(error) }
}
