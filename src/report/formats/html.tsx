import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { renderToStaticMarkup } from 'preact-render-to-string'
import { PAGE_SCRIPT } from '../../installation.ts'
import { App } from '../page/app.tsx'
import { STYLE } from '../page/style.ts'
import type { Report } from '../report.ts'

/**
 * Reports as one page that needs nothing else: it is readable as it is, and its script, which only the page's own digest
 * allows to run, lets the reader step through traces.
 */
export async function renderHtml(reports: readonly Report[]): Promise<string> {
  const script = await readFile(PAGE_SCRIPT, 'utf8')
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`
  const [first] = reports
  // data, whatever it says: a closing tag inside it is none
  const data = JSON.stringify(reports)
    .replace(/</g, '\\u003c')
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029')
  const page = renderToStaticMarkup(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={policy} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${first?.verdict ?? ''}: ${first?.model.title ?? ''}`}</title>
        <style dangerouslySetInnerHTML={{ __html: STYLE }} />
      </head>
      <body>
        <div id="report">
          <App reports={reports} />
        </div>
        <script id="data" type="application/json" dangerouslySetInnerHTML={{ __html: data }} />
        <script dangerouslySetInnerHTML={{ __html: script }} />
      </body>
    </html>,
  )
  return `<!doctype html>\n${page}\n`
}
