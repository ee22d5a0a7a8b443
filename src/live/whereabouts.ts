import type { SourceMap } from '../compile/source-map.ts'
import type { Whereabouts } from '../trace/narration.ts'

/** Where in a model's code an error was made: the functions of the model on its stack, outermost first, and the place. */
export function whereaboutsOf(error: Error, sourceMap: SourceMap): Whereabouts {
  const functions: string[] = []
  for (const line of (error.stack ?? '').split('\n')) {
    if (!line.includes(sourceMap.filename)) continue
    const name = /^\s*at (?:async )?(?:[\w$#]+\.)*([\w$#]+)(?: \[as [^\]]*\])? \(/.exec(line)?.[1]
    if (name && name !== 'next') functions.unshift(name)
  }
  return { function: functions, at: sourceMap.placeOf(error) }
}
