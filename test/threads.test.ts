import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'

const run = promisify(execFile)
const THREADS = new URL('../src/threads/threads.js', import.meta.url).href
const ENTRY = new URL('../workers/explorer.js', import.meta.url).href

test('threads can be ended at any moment while they start', async (t) => {
  const program = `
    const { startThreads } = await import('${THREADS}')
    for (let i = 0; i < 80; i++) {
      const threads = await startThreads(new URL('${ENTRY}'), 1, { recipe: {}, control: new SharedArrayBuffer(64) })
      threads.run({ kind: 'ready' }).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 25 + (i % 40)))
      await threads.destroy()
    }
    console.log('done')`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program])
  t.is(stdout, 'done\n')
})
