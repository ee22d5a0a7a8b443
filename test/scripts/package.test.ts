// What `npm pack` holds, whether tools find its entries and types, and that types of the entries are what users rely on.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import test from 'ava'
import { publint } from 'publint'
import { folder } from '../harness/command.ts'

/** Files and folders that a release holds. */
const HELD =
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|action\.yml|bin\/vmcheck\.js|dist\/(src|checks|workers)\/.*|models\/.*\.ts|schema\/.*\.json|templates\/init\/.*)$/

test('a release holds what it needs, licences included, and nothing else; its entries and types are found', async (t) => {
  const to = await folder({})
  const { stdout } = await promisify(execFile)(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', to],
    { maxBuffer: 2 ** 24 },
  )
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
  const paths = packed.files.map(({ path }) => path)
  t.deepEqual(
    paths.filter((path) => !HELD.test(path)),
    [],
  )
  t.deepEqual(
    paths.filter((path) => path.endsWith('.map') && !path.startsWith('dist/src/vm/')),
    [],
    'maps of files whose sources are not in it',
  )
  const notices = await readFile('dist/src/packed/THIRD-PARTY-LICENSES.txt', 'utf8')
  for (const name of ['@babel/core', 'preact', 'yargs']) t.true(notices.includes(`---- ${name} `), name)

  const { messages } = await publint({ pkgDir: '.', strict: true, pack: false })
  t.deepEqual(messages, [])
  const data = createPackageFromTarballData(await readFile(join(to, packed.filename)))
  const analysis = await checkPackage(data)
  t.truthy(analysis.types)
  // it is for ECMAScript modules alone, in Node 20 and later
  const problems = 'problems' in analysis ? analysis.problems : []
  t.deepEqual(
    problems.filter(
      (problem) =>
        !(
          problem.kind === 'CJSResolvesToESM' ||
          ('resolutionKind' in problem && problem.resolutionKind === 'node10') ||
          ('entrypoint' in problem && /\.(json|ts)$|models/.test(problem.entrypoint))
        ),
    ),
    [],
  )
})
