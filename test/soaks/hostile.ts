// Thousands of hostile inputs through the command, as its users would meet them:
// node dist/test/soaks/hostile.js --inputs 5000 [--seed N] [--only N]
import { mkdir, readFile, readdir, rm, symlink } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { RandomSource } from '../../src/semantics/random-source.ts'
import { cleaned } from '../../src/source/texts.ts'
import { type Ran, vmcheck, folder } from '../harness/command.ts'
import { CHECKPOINTED, type Input, type Kind, type Sound, inputOf } from '../hostile/inputs.ts'
import { numberOption } from '../harness/options.ts'

/** Milliseconds after which a command hangs. */
const PATIENCE = 10_000
/** Milliseconds more for a machine that is busy with others. */
const SLACK = 10_000

/** What a command printed, its status, and the seconds that it took. */
type Ended = Ran & { readonly seconds: number }

async function run(cwd: string, line: readonly string[], input = ''): Promise<Ended> {
  const since = performance.now()
  // no process can be given a NUL
  const ran = await vmcheck(
    line.map((word) => word.replaceAll('\0', ' ')),
    { cwd, input, patience: PATIENCE + SLACK, env: { NODE_OPTIONS: '--max-old-space-size=300' } },
  )
  return { ...ran, seconds: (performance.now() - since) / 1000 }
}

/** A folder with files, among which vmcheck is found; removed afterwards. */
async function within<T>(files: Input['files'], body: (cwd: string) => Promise<T>): Promise<T> {
  const cwd = await folder(files)
  try {
    await mkdir(join(cwd, 'node_modules'))
    await symlink(resolve('.'), join(cwd, 'node_modules', 'vmcheck'))
    return await body(cwd)
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}

/** What must not come out of a command, by what it is called. */
const FORBIDDEN: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['an internal error', /internal error/],
  ['a stack', /^ {4}at \S+ \(|^ {4}at (file|node):/m],
]

/** What is wrong with how a command ended, or null. */
function wrongWith({ kind, may = [0, 1, 2, 3], line }: Input, { status, out, err, seconds }: Ended): string | null {
  if (status === null || seconds > PATIENCE / 1000 + SLACK / 1000) return `it hangs: ${seconds.toFixed(1)} s`
  if (!may.includes(status)) return `status ${status}`
  const printed = line.includes('--json') || kind === 'arguments' ? err : out + err
  for (const [what, pattern] of FORBIDDEN)
    if (pattern.test(printed)) return `${what}: ${JSON.stringify(pattern.exec(printed)?.[0])}`
  if (cleaned(printed) !== printed) return 'control characters'
  if (status === 2 && !err.includes('vmcheck: ') && !out.includes('cannot be')) return 'status 2 without a word'
  if (status === 2 && kind !== 'arguments' && err.split('\n').filter((each) => each.startsWith('vmcheck: ')).length > 1)
    return 'more than one line for status 2'
  return null
}

/** A pass of a model that somebody else must share: the plain search of single accesses, on the same model. */
async function wrongPass(input: Input, cwd: string, { status, out }: Ended): Promise<string | null> {
  if (input.kind !== 'model' || status !== 0 || input.line.includes('--all')) return null
  const plain = await run(cwd, [
    'explore',
    'model.ts',
    '--reduce',
    'none',
    '--time',
    '6',
    '--workers',
    '1',
    '--max-states',
    '60000',
  ])
  return plain.status === 1
    ? `it passes, but with --reduce none: ${plain.out.split('\n')[0]} (${out.split('\n')[0]})`
    : null
}

/** Everything that inputs are made from, made by the commands themselves. */
async function makeSound(): Promise<Sound> {
  const folder = resolve('test/models/verdicts')
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts')).toSorted()
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  const reports: { model: string; json: string; schedule: string | null }[] = []
  for (const model of texts.slice(0, 12)) {
    const { out } = await within({ 'model.ts': model }, (cwd) =>
      run(cwd, ['explore', 'model.ts', '--json', '--time', '8']),
    )
    if (!out.startsWith('{')) continue
    const { violations } = JSON.parse(out) as { violations: { schedule_string: string }[] }
    reports.push({ model, json: out, schedule: violations[0]?.schedule_string ?? null })
  }
  const checkpoint = await within({ 'model.ts': CHECKPOINTED }, async (cwd) => {
    await run(cwd, ['explore', 'model.ts', '--max-states', '2000', '--workers', '1', '--checkpoint', 'kept'])
    const files = (await readdir(join(cwd, 'kept'), { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    )
    return new Map(
      await Promise.all(
        files.map(
          async (entry) =>
            [
              join(entry.parentPath, entry.name).slice(join(cwd, 'kept').length + 1),
              await readFile(join(entry.parentPath, entry.name)),
            ] as const,
        ),
      ),
    )
  })
  if (checkpoint.size === 0) throw new Error('no checkpoint was written')
  const baseline = await within({ 'models/model.ts': texts[0] as string }, async (cwd) => {
    await run(cwd, ['gate', '--update'])
    return readFile(join(cwd, 'vmcheck.baseline.json'), 'utf8')
  })
  return { models: texts, reports, checkpoint, baseline }
}

async function main(): Promise<number> {
  const seed = numberOption('--seed', Date.now() % 1_000_000)
  const [from, to] = process.argv.includes('--only')
    ? [numberOption('--only', 0), numberOption('--only', 0) + 1]
    : [0, numberOption('--inputs', 500)]
  process.stdout.write(`seed ${seed}\n`)
  const sound = await makeSound()
  const counts = new Map<Kind, number[]>()
  let [next, faults] = [from, 0]
  const work = async (): Promise<void> => {
    while (next < to) {
      const number = next++
      const input = inputOf(new RandomSource(seed * 65_537 + number), sound)
      await within(input.files, async (cwd) => {
        const ended = await run(cwd, input.line, input.stdin)
        const of = counts.get(input.kind) ?? [0, 0, 0, 0]
        counts.set(input.kind, of.with(ended.status ?? 2, (of[ended.status ?? 2] ?? 0) + 1))
        const wrong = wrongWith(input, ended) ?? (await wrongPass(input, cwd, ended))
        if (wrong === null && !process.argv.includes('--only')) return
        if (wrong !== null) faults++
        process.stdout.write(
          `${number} (${input.kind}): ${wrong ?? 'nothing wrong'}\n  vmcheck ${input.line.map((word) => JSON.stringify(word)).join(' ')}\n  ${ended.err.slice(0, 600).replaceAll('\n', '\n  ')}\n`,
        )
        if (process.argv.includes('--only'))
          for (const [name, content] of Object.entries(input.files))
            process.stdout.write(`--- ${name}\n${content.toString().slice(0, 6000)}\n`)
      })
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  process.stdout.write(
    `${to - from} inputs, ${faults} wrong; statuses 0, 1, 2, 3:\n${[...counts].map(([kind, n]) => `  ${kind}: ${n.join(', ')}\n`).join('')}`,
  )
  return faults === 0 ? 0 : 1
}

process.exitCode = await main()
