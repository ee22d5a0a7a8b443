// Plants bugs in copies of the build, one at a time, and sees whether the judge finds them within some programs of each
// family: node dist/test/soaks/planted.js [--programs 200] [--from NUMBER]
import { execFileSync, spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { BUGS, type Bug, planted } from './bugs.ts'
import { numberOption } from '../harness/options.ts'

const programs = String(numberOption('--programs', 200))
/** Bugs before this one are left out, from 1. */
const from = numberOption('--from', 1)

/** A copy of the project's build, with a bug in it or as it is. */
async function copyWith(bug: Bug | null): Promise<string> {
  const root = resolve(import.meta.dirname, '..', '..', '..')
  const folder = await mkdtemp(join(tmpdir(), 'vmcheck-planted-'))
  await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  await cp(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
  await cp(join(root, 'package.json'), join(folder, 'package.json'))
  // copied, not linked: a file reached by a link is named by where it really is, which tests would notice
  for (const beside of ['ava.config.js', 'test', 'models', 'bench', 'schema', 'templates', 'README.md', 'docs'])
    await cp(join(root, beside), join(folder, beside), { recursive: true })
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const { file } of bug?.edits ?? []) {
    const path = join(folder, 'dist', file)
    await writeFile(path, planted(bug as Bug, file, await readFile(path, 'utf8')))
  }
  execFileSync(process.execPath, [join(folder, 'dist/scripts/pack.js')], { cwd: folder }) // commands and threads are packed out of what was edited
  return folder
}

/** What a run that is to fail comes to: how long it took, and what it says; null when it does not fail. */
async function failing(
  command: readonly string[],
  cwd: string,
  tells: RegExp,
): Promise<{ readonly seconds: number; readonly says: string } | null> {
  const started = performance.now()
  let says = ''
  const status = await new Promise<number | null>((done) => {
    const child = spawn(process.execPath, [...command], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (says += chunk.toString()))
    child.on('exit', done)
  })
  const line = says.split('\n').find((one) => tells.test(one)) ?? ''
  return status === 0
    ? null
    : {
        seconds: Math.round((performance.now() - started) / 1000),
        says: line
          .replace(/^seed \d+, (scheduled )?program \d+: /, '')
          .replace(/^([^{]{0,100}).*$/, '$1')
          .trim(),
      }
}

/** What notices a bug: the judge, or the test file that is named. */
async function finding(
  folder: string,
  test: string | undefined,
): Promise<{ readonly seconds: number; readonly says: string } | null> {
  if (test === undefined)
    return failing(
      [join(folder, 'dist/test/soaks/judge.js'), '--programs', programs, '--seed', '1', '--workers', '1'],
      folder,
      /^seed|Error|: /,
    )
  return failing([join(folder, 'node_modules/ava/entrypoints/cli.mjs'), `dist/test/**/${test}.test.js`], folder, /✘/)
}

const bugs = BUGS.slice(from - 1)
let wrong = 0

// without a bug nothing may be noticed: else what follows says nothing
const sound = await copyWith(null)
for (const test of new Set(bugs.map((bug) => bug.test))) {
  const found = await finding(sound, test)
  if (found === null) continue
  wrong++
  console.log(`| no bug | ${test ?? 'judge'}, ${found.seconds} s | ${found.says} |`)
}
await rm(sound, { recursive: true })

for (const bug of bugs) {
  const { name, test } = bug
  const folder = await copyWith(bug)
  const found = await finding(folder, test)
  if (found === null) wrong++
  console.log(
    found === null
      ? `| ${name} | not noticed by ${test ?? `${programs} programs`} | |`
      : `| ${name} | ${test ?? 'judge'}, ${found.seconds} s | ${found.says} |`,
  )
  await rm(folder, { recursive: true })
}
process.exitCode = wrong > 0 ? 1 : 0
