import { readFile, readdir } from 'node:fs/promises'
import { basename } from 'node:path'
import test from 'ava'
import { BUGS, planted } from './bugs.ts'

test('every bug to be planted is still a change of the build, and the test that has to notice it exists', async (t) => {
  const tests = (await readdir('dist/test', { recursive: true })).map((file) => basename(file))
  for (const bug of BUGS) {
    if (bug.test !== undefined) t.true(tests.includes(`${bug.test}.test.js`), `${bug.name}: ${bug.test}`)
    for (const { file } of bug.edits)
      await t.notThrowsAsync(async () => planted(bug, file, await readFile(`dist/${file}`, 'utf8')), bug.name)
  }
})
