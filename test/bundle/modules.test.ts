import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { bundle } from '../../src/bundle/bundle.ts'
import { load } from '../../src/runtime/load.ts'
import { Refusal } from '../../src/source/refusal.ts'
import { exploreInline } from '../harness/inline.ts'

/** Explores a model split over files; its findings. */
async function explore(files: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'vmcheck-modules-'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const { result } = exploreInline(load(await bundle('model.ts', folder)), 'step')
  return result.levels.flatMap(({ counts }) => counts.findings.map(({ message }) => message))
}

test('state kept in an imported module is refused, however it is imported', async (t) => {
  const kept = 'export const t = { n: 0 }\nexport function mark() { t.n = 1 }\nexport default function () { t.n = 1 }\n'
  for (const [how, call] of [
    ["import * as K from './kept.ts'", 'K.mark()'],
    ["import { mark } from './kept.ts'", 'mark()'],
    ["import mark from './kept.ts'", 'mark()'],
  ] as const) {
    const model = `import { model, pause } from 'vmcheck'\n${how}\nexport default model({ title: 't', machine(m) { m.thread(function* a() { yield* pause(); ${call} }) } })\n`
    const error = await t.throwsAsync(explore({ 'kept.ts': kept, 'model.ts': model }), { instanceOf: Refusal }, how)
    t.regex(error?.message ?? '', /changes an object made outside/)
  }
})

test('an object of an imported module is the same after a point', async (t) => {
  const modes = 'export interface Mode { readonly bit: number }\nexport const MODES = { read: { bit: 1 } } as const\n'
  const model =
    "import { model, pause } from 'vmcheck'\nimport * as K from './modes.ts'\nimport { Mode } from './modes.ts'\nexport default model({ title: 't', machine(m) { m.thread(function* a() { const mode: Mode = K.MODES.read; yield* pause(); m.assert(mode === K.MODES.read, 'same') }) } })\n"
  t.deepEqual(await explore({ 'modes.ts': modes, 'model.ts': model }), [])
})

test('a struct can be copied and printed like an object', async (t) => {
  const model =
    "import { model, pause, struct, u4 } from 'vmcheck'\nconst S = struct<{ v: number }>('s', { v: u4 })\nexport default model({ title: 't', machine(m) { const s = m.struct(S, 's', { v: 3 }); m.thread(function* a() { yield* pause(); const copy = { ...s }; m.assert(copy.v === 3 && JSON.stringify(s) === '{\"name\":\"s\",\"v\":3}', 'copied') }) } })\n"
  t.deepEqual(await explore({ 'model.ts': model }), [])
})
