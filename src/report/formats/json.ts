import type { Report } from '../report.ts'

/** Reports as JSON text that ends in a newline: a list of them, or the one there is. */
export function renderJson(reports: readonly Report[], isList: boolean): string {
  return `${JSON.stringify(isList ? reports : reports[0], null, 2)}\n`
}
