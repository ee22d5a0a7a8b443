// Writes schema/report-1.schema.json from the type of reports: `npm run schema`. A test compares the two.
import { rename, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { createGenerator } from 'ts-json-schema-generator'

/** The file, from the project's root. */
export const SCHEMA = 'schema/report-1.schema.json'

/** The JSON Schema of the type `Report`: its fields' docstrings are the descriptions, their types' tags the ranges. */
export function reportSchema(): string {
  const { $schema, ...schema } = createGenerator({
    path: 'src/report/report.ts',
    tsconfig: 'tsconfig.json',
    type: 'Report',
    topRef: false,
    additionalProperties: true,
    skipTypeCheck: true,
    jsDoc: 'extended',
  }).createSchema('Report')
  const head = { $schema, $id: 'urn:vmcheck:report:1', title: 'A report of vmcheck, version 1' }
  return `${JSON.stringify({ ...head, ...schema }, null, 2)}\n`
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await writeFile(`${SCHEMA}.new`, reportSchema())
  await rename(`${SCHEMA}.new`, SCHEMA)
}
