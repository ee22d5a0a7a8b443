import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { folder } from '../harness/command.ts'

const run = promisify(execFile)
const THREADS = new URL('../../src/threads/threads.js', import.meta.url).href
const ENTRY = new URL('../../workers/explorer.js', import.meta.url).href

test('threads can be ended at any moment while they start', async (t) => {
  const program = `
    const { startThreads } = await import('${THREADS}')
    for (let i = 0; i < 80; i++) {
      const threads = await startThreads(new URL('${ENTRY}'), 1, { recipe: {}, control: new SharedArrayBuffer(64) }, 0)
      threads.run({ kind: 'ready' }).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 25 + (i % 40)))
      await threads.destroy()
    }
    console.log('done')`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program])
  t.is(stdout, 'done\n')
})

test('threads that never come to be are not waited for for ever', async (t) => {
  const cwd = await folder({ 'seven.mjs': 'export default () => 7' }) // which does not say that it has begun
  const program = `
    const { startThreads } = await import('${THREADS}')
    const before = performance.now()
    const threads = await startThreads(new URL('${pathToFileURL(join(cwd, 'seven.mjs')).href}'), 2, null, 200)
    console.log(await threads.run({}), performance.now() - before > 400)
    await threads.destroy()`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program])
  t.is(stdout, '7 true\n')
})
