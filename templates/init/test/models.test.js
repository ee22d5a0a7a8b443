// Every scenario of every model comes out as it says it does.
import { spawnSync } from 'node:child_process'
import test from 'node:test'

test('vmcheck gate', () => {
  const { status, stdout, stderr } = spawnSync('npx vmcheck gate', { shell: true, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${stdout}${stderr}`)
})
