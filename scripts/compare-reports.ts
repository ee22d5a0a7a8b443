// Whether two builds say the same of all models: node dist/scripts/compare-reports.js OTHER_TREE
// Every scenario is explored by both; reports must be equal but for times, sizes in memory, versions and sentences.
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

/** Fields of a report that say how it came about, or are sentences; where a bound ends a level depends on the threads. */
const LEFT_OUT: readonly string[] = [
  'tool',
  'seconds',
  'memoryBytes',
  'bytesPerState',
  'message',
  'assumptions',
  'notes',
  'commands',
  'workers',
  'frontier',
]

/** A place in vmcheck's own files without its line, which says how they are written. */
function withoutOwnLines(value: unknown): unknown {
  const { file } = (value ?? {}) as { readonly file?: unknown }
  return typeof file === 'string' && file.startsWith('vmcheck/vm/') ? { file } : value
}

async function reportsOf(tree: string, model: string): Promise<unknown> {
  const args = [join(tree, 'bin/vmcheck.js'), 'explore', model, '--all', '--json', '--quiet', '--max-states', '300000']
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 30, encoding: 'utf8' }).catch(
    (error: { readonly stdout: string }) => error,
  )
  return JSON.parse(stdout, (key, value: unknown) => (LEFT_OUT.includes(key) ? undefined : withoutOwnLines(value)))
}

/** Where two values differ first, as a path and both; null: nowhere. */
function difference(one: unknown, other: unknown, path = ''): string | null {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return Object.is(one, other) ? null : `${path}: ${JSON.stringify(one)} here, ${JSON.stringify(other)} there`
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const found = difference(one[key as never], other[key as never], `${path}/${key}`)
    if (found !== null) return found
  }
  return null
}

const other = resolve(process.argv[2] ?? '')
let [same, different] = [0, 0]
for (const file of (await readdir('models')).filter((name) => name.endsWith('.ts')).toSorted()) {
  const model = join('models', file)
  const [here, there] = await Promise.all([reportsOf('.', model), reportsOf(other, model)])
  const found = difference(here, there)
  if (found === null) same += (here as readonly unknown[]).length
  else {
    different++
    console.log(`${model}${found}`)
  }
}
console.log(`${same} scenarios alike, ${different} models differ`)
process.exitCode = different > 0 ? 1 : 0
