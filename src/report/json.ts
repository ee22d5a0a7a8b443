import type { Report } from './report.ts'

/** The report as JSON text, ending in a newline. */
export function renderJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`
}
