import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { bundle } from '../../src/bundle/bundle.ts'
import { lower } from '../../src/lower/lower.ts'
import { loadLower } from '../../src/lower/packed-lower.ts'
import { Refusal } from '../../src/source/refusal.ts'
import { type Shipped, digestOf } from '../../src/bundle/lowered-files.ts'
import { SHIPPED } from '../../src/installation.ts'

/** A folder that is removed after the test, with a model in it. */
async function folderWith(
  t: { teardown(after: () => Promise<void>): void },
  source: string,
): Promise<{ folder: string; cache: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'vmcheck-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'model.ts'), source)
  return { folder, cache: join(folder, 'cache') }
}

const source = (message: string): string => `import { model, pause } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'
export default model({ title: '${message}', machine(m) { const lock = new Mutex(m, 'lock'); m.thread(function* program() { yield* lock.acquire(); yield* pause(); yield* lock.release() }) } })
`

/** The texts kept in a cache, by file. */
async function kept(cache: string): Promise<string[]> {
  const [key] = await readdir(cache)
  return (await readdir(join(cache, key as string)))
    .filter((name) => name.endsWith('.js'))
    .map((name) => join(cache, key as string, name))
}

/** Removes the bundles kept in a cache, so that lowered texts are asked for. */
async function forgetBundles(cache: string): Promise<void> {
  for (const path of await bundles(cache)) await rm(path)
}

/** The bundles kept in a cache. */
async function bundles(cache: string): Promise<string[]> {
  const [key] = await readdir(cache)
  return (await readdir(join(cache, key as string)))
    .filter((name) => name.endsWith('.bundle'))
    .map((name) => join(cache, key as string, name))
}

test('the packed lowering says what the modules it is made of say, places of refusals included', async (t) => {
  const packed = loadLower()
  for (const file of ['models/phoenix-mmap.ts', 'models/serenity/fault.ts', 'bench/models/wire.ts']) {
    const text = await readFile(file, 'utf8')
    t.is(packed.lower(text, file, true), lower(text, file, true))
  }
  for (const text of ['const a = ;', 'export function* f() { with (a) yield 1 }']) {
    const error = t.throws(() => packed.lower(text, 'x.ts', true), { instanceOf: Refusal })
    t.deepEqual(error?.at, t.throws(() => lower(text, 'x.ts', true), { instanceOf: Refusal })?.at)
  }
})

test('a process takes the compiled code of the packed lowering over', async (t) => {
  // in a process of its own: V8 takes nothing over from one with other flags, and other tests set some
  const script = `import { loadLower } from ${JSON.stringify(new URL('../../src/lower/packed-lower.js', import.meta.url).href)}; console.log(loadLower().script.cachedDataRejected)`
  t.is((await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])).stdout, 'false\n')
})

test('what is shipped lowered is what the simulated machine lowers to', async (t) => {
  const shipped = JSON.parse(await readFile(SHIPPED, 'utf8')) as Shipped
  const folder = resolve('dist/src/vm')
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js'))
  t.is(Object.keys(shipped.files).length, names.length)
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8')
    t.is(shipped.files[digestOf(text, `vmcheck/vm/${name}`, false)], lower(text, `vmcheck/vm/${name}`, false), name)
  }
})

test('a cached text gives the same bundle as a fresh one, and a changed file is lowered again', async (t) => {
  const { folder, cache } = await folderWith(t, source('one'))
  const fresh = await bundle('model.ts', folder, null)
  t.deepEqual(await bundle('model.ts', folder, cache), fresh)
  t.is((await kept(cache)).length, 1)
  t.deepEqual(await bundle('model.ts', folder, cache), fresh)
  await writeFile(join(folder, 'model.ts'), source('two'))
  const changed = await bundle('model.ts', folder, cache)
  t.deepEqual(changed, await bundle('model.ts', folder, null))
  t.not(changed.code, fresh.code)
  t.is((await kept(cache)).length, 2)
})

test('a kept text is what is used, unless it is damaged', async (t) => {
  const { folder, cache } = await folderWith(t, source('one'))
  const fresh = await bundle('model.ts', folder, cache)
  const [path] = await kept(cache)
  const text = await readFile(path as string, 'utf8')
  await forgetBundles(cache)
  await writeFile(path as string, text.replace('one', 'another'))
  t.deepEqual(await bundle('model.ts', folder, cache), fresh)
  t.is(await readFile(path as string, 'utf8'), text, 'it is made again')
  await forgetBundles(cache)
  await writeFile(path as string, '')
  t.deepEqual(await bundle('model.ts', folder, cache), fresh)
})

test('a folder that cannot be written to is done without', async (t) => {
  const { folder } = await folderWith(t, source('one'))
  t.deepEqual(
    await bundle('model.ts', folder, join(folder, 'model.ts', 'no-folder')),
    await bundle('model.ts', folder, null),
  )
})

test('a kept bundle is what is used, unless something it was made from has changed, or could now be another file, or it is damaged', async (t) => {
  const { folder, cache } = await folderWith(
    t,
    source('one')
      .replace('import { Mutex }', "import { title } from './title'\nimport { Mutex }")
      .replace("'one'", 'title'),
  )
  await writeFile(join(folder, 'title.js'), "export const title = 'one'\n")
  const fresh = await bundle('model.ts', folder, cache)
  const [path] = await bundles(cache)
  const text = await readFile(path as string, 'utf8')
  const planted = text.slice(text.indexOf('\n') + 1).replaceAll('one', 'two')
  const digest = createHash('sha256').update(planted).digest('hex')
  await writeFile(path as string, `${digest}\n${planted}`)
  t.regex((await bundle('model.ts', folder, cache)).code, /two/, 'it is used')
  await writeFile(path as string, text.replaceAll('one', 'two'))
  t.deepEqual(await bundle('model.ts', folder, cache), fresh, 'damaged')
  await writeFile(join(folder, 'title.js'), "export const title = 'three'\n")
  t.regex((await bundle('model.ts', folder, cache)).code, /three/, 'a changed file')
  await writeFile(join(folder, 'title.ts'), "export const title = 'four'\n")
  t.regex((await bundle('model.ts', folder, cache)).code, /four/, 'a file that comes first now')
})
