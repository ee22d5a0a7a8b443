/// <reference lib="dom" />
import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { type Browser, type Page, chromium } from 'playwright-core'
import { formatOf } from '../../src/report/formats/formats.ts'
import type { Report } from '../../src/report/report.ts'
import { timelineOf } from '../../src/report/timeline.ts'
import { exploreFile, exploreText } from '../harness/run.ts'

const CHROMIUM = [
  process.env['CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== '' && existsSync(path))

/** Without a browser there is nothing to be seen; CI has one. */
const inBrowser = CHROMIUM === undefined ? test.serial.skip : test.serial

let browser: Browser | null = null
let folder = ''

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vmcheck-page-'))
  if (CHROMIUM !== undefined) browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
})

test.after.always(async () => {
  await browser?.close()
  await rm(folder, { recursive: true, force: true })
})

/** How a page is opened. */
interface Opening {
  readonly width?: number
  readonly scheme?: 'light' | 'dark'
  readonly hash?: string
  readonly script?: boolean
}

/** Opens the page of some reports from disk, looks at it, and sees that nothing was complained of or fetched. */
async function open(
  t: ExecutionContext,
  reports: readonly Report[],
  opening: Opening,
  look: (page: Page) => Promise<void>,
): Promise<void> {
  const path = join(folder, `${t.title.replace(/\W+/g, '-')}.html`)
  await writeFile(path, (await formatOf('x.html')?.render(reports, reports.length > 1)) ?? '')
  const context = await (browser as Browser).newContext({
    viewport: { width: opening.width ?? 1280, height: 900 },
    colorScheme: opening.scheme ?? 'light',
    javaScriptEnabled: opening.script ?? true,
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on(
    'console',
    (message) => void (['error', 'warning'].includes(message.type()) && complaints.push(message.text())),
  )
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => void (request.url().startsWith('file:') || complaints.push(request.url())))
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(pathToFileURL(path).href + (opening.hash ?? ''))
  await page.locator('main').waitFor()
  await look(page)
  t.deepEqual(complaints, [])
  await context.close()
}

/** The machine's state as the page shows it: values by field. */
function shown(page: Page): Promise<Record<string, unknown>> {
  return page
    .locator('td[data-field]')
    .evaluateAll((cells) =>
      Object.fromEntries(
        cells.map((cell) => [
          cell.getAttribute('data-field'),
          JSON.parse(cell.getAttribute('data-value') ?? 'null') as unknown,
        ]),
      ),
    )
}

inBrowser('opens without complaint at the end of the trace, in the state that the JSON tells', async (t) => {
  for (const [path, scenario] of [
    ['models/wire.ts', 'deadlock'],
    ['models/serenity-zero.ts', 'lost-update'],
    ['models/maestro-tlb.ts', null],
  ] as const) {
    const report = await exploreFile(path, { scenario }).catch(() => null)
    if (!report) continue
    const violation = report.violations[0] as Report['violations'][0]
    await open(t, [report], {}, async (page) => {
      t.deepEqual(await shown(page), { ...timelineOf(report, violation).states.at(-1) })
      t.is(await page.locator('#position').textContent(), `step ${violation.steps.length} of ${violation.steps.length}`)
    })
  }
})

inBrowser(
  'slider, buttons, keys, the diagram and the address step through the trace; every state is the JSON’s',
  async (t) => {
    const report = await exploreFile('models/wire.ts')
    const violation = report.violations[0] as Report['violations'][0]
    const { states } = timelineOf(report, violation)
    await open(t, [report], { hash: '#step=9' }, async (page) => {
      const position = page.locator('#position')
      const is = async (step: number): Promise<void> => {
        await page.waitForFunction(
          (wanted) => document.querySelector('#position')?.textContent === wanted,
          step === 0 ? 'at the start' : `step ${step} of 52`,
        )
        t.deepEqual(await shown(page), { ...states[step] }, `step ${step}`)
      }
      await is(9)
      await page.keyboard.press('ArrowRight')
      await is(10)
      await page.keyboard.press('Home')
      await is(0)
      await page.getByLabel('One step on').click()
      await is(1)
      await page.getByLabel('Step', { exact: true }).fill('34')
      await is(34)
      t.regex((await page.locator('#step').textContent()) ?? '', /Step 34: CPU 1 \(neighbour\/1\)/)
      t.regex((await page.locator('.source').textContent()) ?? '', /vm-fault\.ts:169/)
      t.is(await page.locator('td.changed').count(), 3)
      await page.locator('.step').nth(11).click()
      await is(12)
      await page.keyboard.press('End')
      await is(52)
      await page.waitForURL(/#step=52$/)
      t.is(await position.getAttribute('aria-live'), 'polite')
      for (let step = 51; step >= 0; step--) {
        await page.keyboard.press('ArrowLeft')
        await is(step)
      }
    })
  },
)

inBrowser('what a model calls its things is text: nothing of it runs, and nothing of it is an element', async (t) => {
  const name = `<script>alert(1)</script><img src=x onerror=alert(2)></title></style><!-- \${alert(3)} ' " & ]]>`
  const report = await exploreText(`import { model, struct, u4, when } from 'vmcheck'
const C = struct<{ v: number }>(${JSON.stringify(name)}, { v: u4 })
export default model({ title: ${JSON.stringify(name)}, machine(m) {
  const c = m.struct(C, ${JSON.stringify(name)})
  m.thread(function* t() { yield* when(() => true, () => { c.v = 1 }); yield* when(() => true, () => { m.assert(false, ${JSON.stringify(name)}) }) })
} })`)
  await open(t, [{ ...report, commands: [name], notes: [name] }], {}, async (page) => {
    t.is(await page.locator('h1').textContent(), name)
    t.is(await page.title(), `violation: ${name}`)
    t.is(await page.locator('img').count(), 0)
    t.is(await page.locator('script').count(), 2)
    t.true(((await page.locator('main').textContent()) ?? '').includes(name))
    await page.keyboard.press('Home')
    await page.waitForFunction(() => document.querySelector('#position')?.textContent === 'at the start')
  })
})

inBrowser('on a phone nothing but diagrams and tables is wider than the screen; dark is dark', async (t) => {
  const report = await exploreFile('models/wire.ts', { explain: true })
  await open(t, [report], { width: 360, scheme: 'dark' }, async (page) => {
    t.true((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360)
    t.is(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(13, 17, 23)')
    t.regex((await page.locator('#ending ~ h3 + ul').textContent()) ?? '', /essential/)
  })
})

inBrowser('without its script, and on paper, the page still tells the trace', async (t) => {
  const report = await exploreFile('models/wire.ts')
  await open(t, [report], { script: false }, async (page) => {
    t.is(await page.locator('.trace li').count(), 52)
    await page.emulateMedia({ media: 'print' })
    t.false(await page.locator('.stepper').isVisible())
    t.true((await page.pdf()).length > 10_000)
  })
})

inBrowser('several scenarios share a page: one is looked at at a time', async (t) => {
  const reports = [
    await exploreFile('models/wire.ts', { scenario: 'fixed' }),
    await exploreFile('models/wire.ts'),
    await exploreFile('models/wire.ts', { scenario: 'leak' }),
  ]
  await open(t, reports, {}, async (page) => {
    t.is(await page.locator('.overview li').count(), 3)
    t.is(await page.locator('.verdict').textContent(), 'deadlock')
    await page.getByRole('button', { name: 'leak' }).click()
    await page.waitForFunction(() => document.querySelector('.verdict')?.textContent === 'at-rest')
    t.is(await page.locator('#position').textContent(), 'step 55 of 55')
    await page.getByRole('button', { name: 'fixed' }).click()
    await page.waitForFunction(() => document.querySelector('.verdict')?.textContent === 'pass')
  })
})

test.serial('a page of a trace of 200 steps is under 1 MB', async (t) => {
  const report = await exploreFile('models/wire.ts')
  const violation = report.violations[0] as Report['violations'][0]
  const many = Array.from({ length: 5 }, () => violation.steps)
    .flat()
    .slice(0, 200)
  const path = join(folder, 'long.html')
  await writeFile(
    path,
    (await formatOf('x.html')?.render(
      [
        {
          ...report,
          violations: [
            {
              ...violation,
              steps: many,
              schedule: Array.from({ length: 5 }, () => violation.schedule)
                .flat()
                .slice(0, 200),
            },
          ],
        },
      ],
      false,
    )) ?? '',
  )
  const { size } = await stat(path)
  t.true(size < 1_000_000, `${size} bytes`)
})
