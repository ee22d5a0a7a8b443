import { type Kind, OBJECT, YES, oneOf, shown } from '../source/kinds.ts'
import { Refusal, type SourcePlace } from '../source/refusal.ts'
import { STRATEGY_NAMES } from '../source/strategy-names.ts'
import type { Config } from './index.ts'

const TEXT: Kind = ['a text', (value) => typeof value === 'string' && value !== '']
const WHOLE: Kind = ['a whole number, 0 or more', (value) => Number.isInteger(value) && (value as number) >= 0]
const COUNT: Kind = ['a whole number, 1 or more', (value) => Number.isInteger(value) && (value as number) >= 1]
const SECONDS: Kind = ['a number of seconds', (value) => typeof value === 'number' && value > 0]
const SIZE: Kind = [
  'a size such as 500MB',
  (value) => typeof value === 'string' && /^\d+(\.\d+)?\s*([KMGT]i?)?B?$/i.test(value),
]

const SEARCH: Readonly<Record<string, Kind>> = {
  strategy: oneOf(...STRATEGY_NAMES),
  reduce: oneOf('none', 'symmetry', 'por', 'all'),
  preemptions: WHOLE,
  seed: WHOLE,
  runs: COUNT,
  time: SECONDS,
  maxStates: COUNT,
  maxDepth: WHOLE,
  memory: SIZE,
  workers: COUNT,
}
const OVERRIDE: Readonly<Record<string, Kind>> = { ...SEARCH, match: TEXT, skip: YES }
const CONFIG: Readonly<Record<string, Kind>> = {
  paths: ['a list of paths', (value) => Array.isArray(value) && value.every(TEXT[1])],
  search: OBJECT,
  overrides: ['a list of objects', (value) => Array.isArray(value) && value.every(OBJECT[1])],
  baseline: TEXT,
  cache: TEXT,
  time: SECONDS,
}

/**
 * Takes what a file exports for a configuration, or a caller gives.
 *
 * @param at place of the file's export; null: it was given
 * @throws Refusal for an unknown setting, or one of the wrong kind: what is parsed is used
 */
export function checkConfig(value: unknown, at: SourcePlace | null): Config {
  if (!OBJECT[1](value))
    throw new Refusal('no default export: end the file with export default defineConfig({ ... })', at)
  check(value as object, CONFIG, '', at)
  const config = value as Config
  check(config.search ?? {}, SEARCH, 'search.', at)
  config.overrides?.forEach((override, i) => {
    check(override, OVERRIDE, `overrides[${i}].`, at)
    if (override.match === undefined) throw new Refusal(`overrides[${i}] has no match: give FILE or FILE#SCENARIO`, at)
  })
  return config
}

function check(value: object, known: Readonly<Record<string, Kind>>, prefix: string, at: SourcePlace | null): void {
  for (const [name, setting] of Object.entries(value)) {
    const kind = Object.hasOwn(known, name) ? known[name] : undefined
    if (!kind) throw new Refusal(`unknown setting ${prefix}${name}; known: ${Object.keys(known).join(', ')}`, at)
    if (setting !== undefined && !kind[1](setting))
      throw new Refusal(`${prefix}${name} is ${shown(setting)}, and should be ${kind[0]}`, at)
  }
}
