import { clean } from '../clean.ts'
import { renderJson } from './json.ts'
import type { Report } from '../report.ts'

/** A form in which reports are written to files. */
export interface ReportFormat {
  /** The end of the names of its files. */
  readonly extension: string
  /**
   * Renders reports, one a scenario; formats that hold one trace take the first there is.
   * @param isList whether several scenarios were asked for
   */
  render(reports: readonly Report[], isList: boolean): string | Promise<string>
}

/** Every format, those whose extension ends in another's first. What renders them is loaded when it is wanted. */
export const FORMATS: readonly ReportFormat[] = [
  { extension: '.itf.json', render: async (reports) => (await import('./itf.ts')).renderItf(reports) },
  { extension: '.perfetto.json', render: async (reports) => (await import('./perfetto.ts')).renderPerfetto(reports) },
  { extension: '.json', render: renderJson },
  { extension: '.html', render: async (reports) => (await import('./html.tsx')).renderHtml(clean(reports)) },
  { extension: '.md', render: async (reports) => (await import('./markdown.ts')).renderMarkdown(clean(reports)) },
  { extension: '.sarif', render: async (reports) => (await import('./sarif.ts')).renderSarif(clean(reports)) },
  {
    extension: '.xml',
    render: async (reports) => (await import('./junit.ts')).renderJunit(clean(reports), new Date()),
  },
]

/** The format of a file of some name, or undefined. */
export function formatOf(file: string): ReportFormat | undefined {
  return FORMATS.find(({ extension }) => file.endsWith(extension))
}

/** `.json .html .md` ... */
export function knownExtensions(): string {
  return FORMATS.map(({ extension }) => extension)
    .toSorted()
    .join(' ')
}
