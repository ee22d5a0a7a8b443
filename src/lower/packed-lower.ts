import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Script } from 'node:vm'
import type { lower as Lower } from './lower.ts'
import { PACKED } from '../installation.ts'
import * as refusal from '../source/refusal.ts'

/** The lowering with all that it needs of Babel, as the build packs it, and the compiled code that V8 can take over. */
export const PACKED_LOWER = join(PACKED, 'lower.cjs')
export const COMPILED_LOWER = `${PACKED_LOWER}.cache`
/** What the packed file calls the module of refusals, which it shares with the rest of vmcheck. */
export const REFUSAL = 'vmcheck-refusal'

/**
 * Loads the packed lowering, which takes half as long with code that was compiled before; V8 looks for itself whether
 * that is of its own kind, and compiles again where it is not.
 */
export function loadLower(): { readonly lower: typeof Lower; readonly script: Script } {
  const cachedData = existsSync(COMPILED_LOWER) ? readFileSync(COMPILED_LOWER) : undefined
  const script = new Script(`(function (exports, require, module) {${readFileSync(PACKED_LOWER, 'utf8')}\n})`, {
    filename: PACKED_LOWER,
    ...(cachedData && { cachedData }),
  })
  const require = createRequire(import.meta.url)
  const module = { exports: {} as { lower: typeof Lower } }
  const run = script.runInThisContext() as (exports: object, require: (name: string) => unknown, module: object) => void
  run(module.exports, (name) => (name === REFUSAL ? refusal : require(name)), module)
  return { lower: module.exports.lower, script }
}
