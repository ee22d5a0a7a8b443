import { knownExtensions } from '../report/formats/formats.ts'

/** Options that mean the same in every command that has them. */
export const SHARED = {
  set: {
    type: 'string',
    array: true,
    nargs: 1,
    default: [],
    describe: 'KEY=VALUE, over the scenario’s parameters (repeatable)',
  },
  check: { type: 'string', array: true, nargs: 1, default: [], describe: 'only this check (repeatable)' },
  'no-check': { type: 'string', array: true, nargs: 1, default: [], describe: 'without this check (repeatable)' },
  report: {
    type: 'string',
    array: true,
    nargs: 1,
    default: [],
    describe: `write a report; the format follows the extension: ${knownExtensions()} (repeatable)`,
  },
  json: { type: 'boolean', default: false, describe: 'the report as JSON on standard output' },
  quiet: { type: 'boolean', default: false, describe: 'no progress, and only the verdict’s line' },
} as const
