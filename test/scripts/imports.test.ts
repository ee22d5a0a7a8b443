import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'ava'
import { wrongImports } from '../../scripts/imports.ts'
import { ROOMS } from '../../scripts/rooms.ts'

/** Imports that may not be, each planted at the top of a file of a copy; and what is said of it. */
const PLANTED: readonly (readonly [file: string, line: string, says: string])[] = [
  [
    'src/model/field.ts',
    "import { Executor } from '../explore/step/executor.ts'",
    'src/model may not import src/explore/step (../explore/step/executor.ts)',
  ],
  [
    'src/explore/store/state-store.ts',
    "import type { Engine } from '../search/engine.ts'",
    'src/explore/store may not import src/explore/search (../search/engine.ts)',
  ],
  [
    'src/explore/table/leaf.ts',
    "export * from '../hangs/sweep.ts'",
    'src/explore/table may not import src/explore/hangs (../hangs/sweep.ts)',
  ],
  [
    'src/trace/trace.ts',
    "export type X = import('../live/replay.ts').Replay",
    'src/trace may not import src/live (../live/replay.ts)',
  ],
  ['src/report/page/app.tsx', "await import('node:fs')", 'src/report/page may not import node:fs'],
  [
    'src/vm/mutex.ts',
    "import { Memory } from '../model/memory.ts'",
    'src/vm may not import src/model (../model/memory.ts)',
  ],
  [
    'models/wire.ts',
    "import { Field } from '../src/model/field.ts'",
    'models may not import src/model (../src/model/field.ts)',
  ],
  ['src/runtime/activation.ts', "import { traverse } from '@babel/core'", 'src/runtime may not import @babel/core'],
  ['src/attic/old.ts', '', 'the file is in no room: add its folder to scripts/rooms.ts'],
]

test('imports run in allowed directions only, and one that does not is found in each form', async (t) => {
  t.deepEqual(await wrongImports('.'), [])
  const copy = await mkdtemp(join(tmpdir(), 'vmcheck-imports-'))
  try {
    for (const folder of ['src', 'models', 'checks']) await cp(folder, join(copy, folder), { recursive: true })
    for (const [file, line] of PLANTED) {
      const path = join(copy, file)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(
        path,
        `${line}\n${await readFile(path, 'utf8').catch(() => "export const x = import('../index.ts')")}`,
      )
    }
    t.deepEqual(
      (await wrongImports(copy)).toSorted(),
      PLANTED.map(([file, , says]) => `${file}:${file.includes('attic') ? 2 : 1}: ${says}`).toSorted(),
    )
  } finally {
    await rm(copy, { recursive: true })
  }
})

test('every room has a README that names the file to read first, and no file that is not there', async (t) => {
  const rooms = ROOMS.map(({ path }) => path).filter(
    (path) => /^(src|checks|workers)(\/|$)/.test(path) && !path.endsWith('.ts'),
  )
  for (const room of rooms) {
    const text = await readFile(join(room, 'README.md'), 'utf8')
    t.true(text.split('\n').length <= 14, room)
    t.regex(text, /\n\nRead first: `/, room)
    for (const [, file] of text.matchAll(/`([\w./-]+\.tsx?)`/g)) {
      if (file === 'vmcheck.config.ts') continue
      t.true(
        existsSync(join(room, file as string)) || existsSync(join(dirname(room), file as string)),
        `${room}: ${file}`,
      )
    }
  }
})

test('no folder of src holds more than 20 files of its own, and no file more than 350 lines', async (t) => {
  const files = (await readdir('src', { recursive: true, withFileTypes: true })).filter((one) => one.isFile())
  const sources = files.filter(({ name }) => /\.tsx?$/.test(name))
  for (const folder of new Set(sources.map(({ parentPath }) => parentPath)))
    t.true(sources.filter(({ parentPath }) => parentPath === folder).length <= 20, folder)
  for (const { parentPath, name } of sources) {
    const text = await readFile(join(parentPath, name), 'utf8')
    t.true(text.split('\n').length <= 351, join(parentPath, name))
  }
})
