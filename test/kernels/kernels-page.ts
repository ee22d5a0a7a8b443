// docs/kernels.md: its tables of scenarios come from the models. `npm run kernels` writes them again.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { type Expectation, type Scenario, formerNames } from '../../src/model/model.ts'
import { loadOnce } from '../harness/run.ts'

/** The page, from the project's root. */
export const PAGE = 'docs/kernels.md'

/** The page with every table between `<!-- models/x.ts -->` and `<!-- end -->` replaced by that model's scenarios. */
export async function withScenarios(page: string): Promise<string> {
  const parts = page.split(/(<!-- models\/[\w-]+\.ts -->\n)[\s\S]*?(<!-- end -->)/)
  for (let i = 1; i < parts.length; i += 3) {
    const path = /models\/[\w-]+\.ts/.exec(parts[i] as string)?.[0] as string
    const { model } = await loadOnce(path)
    parts[i] = `${parts[i]}${table(model.scenarios)}`
  }
  return parts.join('')
}

function table(scenarios: ReadonlyMap<string, Scenario<Record<string, unknown>>>): string {
  const rows = [...scenarios].map(([name, scenario]) => {
    const { about = '', expect, large } = scenario
    const { verdict, property, states } = expect as Exclude<Expectation, string>
    const former = formerNames(scenario).map((one) => `\`${one}\``)
    return `| \`${name}\`${large ? ' (large)' : ''} | ${about} | ${verdict}${property ? `: ${property}` : ''} | ${states?.toLocaleString('en-US')} | ${former.join(', ')} |`
  })
  return ['', '| scenario | | verdict | states | in 0.1 |', '| --- | --- | --- | ---: | --- |', ...rows, '', ''].join(
    '\n',
  )
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const page = await withScenarios(await readFile(PAGE, 'utf8'))
  await writeFile(`${PAGE}.new`, page)
  await rename(`${PAGE}.new`, PAGE)
}
