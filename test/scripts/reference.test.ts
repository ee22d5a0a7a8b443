// docs/reference.md is complete, up to date, and its examples run.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import test from 'ava'
import { REFERENCE, publicExports, referenceText, summary } from '../../scripts/reference.ts'
import { exploreText } from '../harness/run.ts'

test('the reference is what the docstrings say now', async (t) => {
  t.is(await readFile(REFERENCE, 'utf8'), referenceText('.'), 'npm run reference writes it')
})

test('every entry’s exports are in it, and each thing and member says what it is', async (t) => {
  const text = await readFile(REFERENCE, 'utf8')
  for (const [entry, listed] of publicExports('.')) {
    const names = listed.map(({ name }) => name)
    for (const name of Object.keys((await import(entry)) as object)) t.true(names.includes(name), `${entry}: ${name}`)
    for (const one of listed) t.not(summary(one), '', `${entry}: ${one.name}`)
  }
  t.deepEqual(text.match(/^\| .* \| {2}\|$/gm), null)
})

const EXAMPLES = [...readFileSync(REFERENCE, 'utf8').matchAll(/^### (\S+) .*\n([\s\S]*?)(?=^###? )/gm)].flatMap(
  ([, name, section]) => {
    const example = [...(section as string).matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code as string)
    return example.filter((code) => /\bm\.(thread|cpus)\(/.test(code)).map((code) => [name as string, code] as const)
  },
)

for (const [name, code] of EXAMPLES)
  test(`the example runs: ${name}`, async (t) => {
    const [vmcheck, vm] = await Promise.all([import('vmcheck'), import('vmcheck/vm')])
    const report = await exploreText(`import { ${Object.keys(vmcheck).join(', ')} } from 'vmcheck'
import { ${Object.keys(vm).join(', ')} } from 'vmcheck/vm'
const Page = struct<{ v: number }>('page', { v: u4 })
export default model({ title: 'example', machine(m) {
${code}
} })`)
    t.is(report.verdict, 'pass', report.violations[0]?.message)
  })

test('the primitives and operations have examples', (t) => {
  t.true(EXAMPLES.length >= 25, String(EXAMPLES.length))
})
