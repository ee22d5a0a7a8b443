// The models that README and docs show come out as they say.
import { mkdir, readFile, readdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { folder, vmcheck } from '../harness/command.ts'

/** Blocks of TypeScript in a document that are whole models. */
async function modelsIn(path: string): Promise<string[]> {
  const blocks = [...(await readFile(path, 'utf8')).matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text]) => text as string)
  return blocks.filter((text) => text.includes('export default model('))
}

test('every model that a document shows gives what its scenarios say', async (t) => {
  const documents = ['README.md', ...(await readdir('docs')).map((name) => `docs/${name}`)].filter((path) =>
    path.endsWith('.md'),
  )
  const files: Record<string, string> = { 'package.json': '{"name":"mine"}' }
  for (const path of documents)
    for (const [i, text] of (await modelsIn(path)).entries())
      files[`models/${path.replace(/.*\/|\.md$/g, '')}-${i}.ts`] = text
  const cwd = await folder(files)
  await mkdir(join(cwd, 'node_modules'))
  await symlink(process.cwd(), join(cwd, 'node_modules/vmcheck'))
  const { status, out } = await vmcheck(['gate'], { cwd })
  t.is(status, 0, out)
  for (const file of Object.keys(files)) if (file.startsWith('models/')) t.true(out.includes(file), file)
  t.true(Object.keys(files).length > 3)
})
