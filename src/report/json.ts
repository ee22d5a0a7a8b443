import type { Report } from './report.ts'

/** A report, or a list of them, as JSON text that ends in a newline. */
export function renderJson(report: Report | readonly Report[]): string {
  return `${JSON.stringify(report, null, 2)}\n`
}
