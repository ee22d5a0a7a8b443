import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { ExploreRequest } from '../../src/session/request.ts'
import { expectedVerdict } from '../../src/model/model.ts'
import type { Report } from '../../src/report/report.ts'
import { folder, vmcheck } from '../harness/command.ts'
import { COUNTS, killedAt } from '../soaks/killed.ts'
import { exploreFile, loadOnce } from '../harness/run.ts'

/** What has to be the same however often a search was interrupted: everything but times and sizes. */
function essence({ stats, ...report }: Report): object {
  const { seconds: _s, memoryBytes: _m, bytesPerState: _b, workers: _w, ...counts } = stats
  return { ...report, stats: counts }
}

/** Searches a bounded number of states further and further, from checkpoint to checkpoint, and compares what comes out. */
async function compare(
  t: ExecutionContext,
  path: string,
  request: Partial<ExploreRequest>,
  stops: readonly number[],
  every = 0,
): Promise<void> {
  const whole = await exploreFile(path, request)
  const place = await mkdtemp(join(tmpdir(), 'vmcheck-stops-'))
  try {
    const checkpoint = { folder: place, mayBegin: true, mayResume: true, every }
    const limits = { maxDepth: Infinity, time: Infinity, memory: 4e9 }
    for (const [i, maxStates] of stops.entries()) {
      const part = await exploreFile(path, {
        ...request,
        checkpoint,
        workers: 1 + (i % 2),
        limits: { ...limits, maxStates },
      })
      if (part.verdict !== 'inconclusive') break
    }
    const last = await exploreFile(path, { ...request, checkpoint })
    t.deepEqual(essence(last), essence(whole), `${path} ${request.scenario}`)
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

test('interrupted at many sizes, every kind of scenario ends with the same report', async (t) => {
  for (const path of ['models/wire.ts', 'models/maestro-shootdown.ts']) {
    const { model } = await loadOnce(path)
    const kinds = new Set<string>()
    for (const [scenario, { expect, large }] of model.scenarios) {
      const verdict = expectedVerdict(expect)
      if (large || kinds.has(verdict)) continue
      kinds.add(verdict)
      await compare(t, path, { scenario }, [10, 100, 700])
    }
  }
})

test('what is known of the actors of several levels at once is kept', async (t) => {
  // each level is a barrier, and a checkpoint is written only where the search stops: levels lie between two of them
  const tuning = { narrow: 1 }
  await compare(t, 'test/models/verdicts/resume-hang-bits.ts', { scenario: 'right', tuning }, [8, 10], 1e6)
  await compare(t, 'models/wire.ts', { scenario: 'names-fixed', tuning }, [100, 700, 1500], 1e6)
  await compare(t, 'test/models/hang-at-depth.ts', { scenario: 'default', tuning }, [30, 40], 1e6)
})

test('without reductions, access by access, keeping on beyond the first, and with tiny sizes', async (t) => {
  const scenario = 'merge-deadlock'
  await compare(t, 'models/wire.ts', { scenario, reduce: 'none' }, [100, 300, 900])
  await compare(t, 'models/wire.ts', { scenario, granularity: 'access' }, [500, 2000])
  await compare(t, 'models/wire.ts', { scenario: 'leak', keepGoing: true }, [100, 700, 1500])
  // segments, tables and widths that have to grow again and again
  await compare(
    t,
    'models/wire.ts',
    { scenario: 'names', tuning: { narrow: 1, slice: 1, firstCapacity: 16, segmentBits: 8, firstWidth: 1 } },
    [100, 1000, 5000, 20_000],
  )
  await compare(
    t,
    'models/wire.ts',
    { scenario: 'names-deadlock', tuning: { narrow: 1, slice: 1, firstCapacity: 16, segmentBits: 8, firstWidth: 1 } },
    [20, 500, 2000],
    3600,
  )
})

test.serial('killed at any moment, a search of a million states continues to the same counts', async (t) => {
  for (const share of [0.25, 0.45, 0.65]) t.deepEqual((await killedAt(share)).counts, COUNTS, String(share))
})

test.serial('Ctrl-C writes a checkpoint; --resume continues from it, which its counts show', async (t) => {
  const cwd = process.cwd()
  const place = join(await folder({}), 'kept')
  const search = ['explore', 'models/wire.ts', '--scenario', 'names-three', '--reduce', 'none', '--quiet']
  // on a busy machine the first signals come before the search has begun, and end the process
  const tried = async ([after, ...later]: readonly number[]): Promise<number | null> => {
    const { status } = await vmcheck([...search, '--checkpoint', place], { cwd, interrupt: after as number })
    return status === 3 || later.length === 0 ? status : tried(later)
  }
  t.is(await tried([1300, 2500, 5000, 10_000]), 3)
  t.true((await readdir(place)).includes('manifest'))
  const again = await vmcheck([...search, '--checkpoint', place])
  t.is(again.status, 2)
  t.regex(again.err, /there is a checkpoint already; continue it with --resume/)
  const done = await vmcheck([...search, '--resume', place, '--json'])
  t.is(done.status, 0)
  t.is((JSON.parse(done.out) as Report).stats.states, COUNTS.states)
  t.deepEqual(await readdir(place), [], 'a search that is done leaves no checkpoint')
  const gone = await vmcheck([...search, '--resume', place])
  t.is(gone.status, 2)
  t.regex(gone.err, /--resume .*: there is no checkpoint/)
})

test.serial('a checkpoint of another search, another build, or a damaged one is refused in one line', async (t) => {
  const place = join(await folder({}), 'kept')
  const start = ['explore', 'models/wire.ts', '--scenario', 'names', '--max-states', '5000', '--quiet']
  t.is((await vmcheck([...start, '--checkpoint', place, '--checkpoint-every', '0'])).status, 3)
  const refused = async (args: readonly string[], message: RegExp): Promise<void> => {
    const { status, err } = await vmcheck([...args, '--resume', place, '--quiet'])
    t.is(status, 2, args.join(' '))
    t.regex(err, message)
    t.is(err.trim().split('\n').length, 1)
  }
  await refused(
    ['explore', 'models/wire.ts', '--scenario', 'names-three'],
    /written for another scenario \(names; now names-three\)/,
  )
  await refused(['explore', 'models/wire.ts', '--scenario', 'names', '--set', 'fast=off'], /other parameters/)
  await refused(['explore', 'models/wire.ts', '--scenario', 'names', '--reduce', 'none'], /another reduction/)
  await refused(['explore', 'models/wire.ts', '--scenario', 'names', '--granularity', 'access'], /another granularity/)
  await refused(['explore', 'models/wire.ts', '--scenario', 'names', '--no-check', 'stuck'], /other checks/)
  await refused(['explore', 'models/wire.ts', '--scenario', 'names', '--keep-going'], /with or without --keep-going/)
  await refused(['explore', 'models/serenity-zero.ts'], /another model, or the model has changed since/)
  await refused(['explore', 'models/wire.ts', '--all'], /for one scenario, not for --all/)
  await refused(['explore', 'models/wire.ts', '--reduce', 'por'], /goes with --reduce none or symmetry/)
  await refused(['explore', 'models/wire.ts', '--strategy', 'dfs'], /--resume goes with --strategy bfs/)
  const right = ['explore', 'models/wire.ts', '--scenario', 'names']
  const saved = join(await folder({}), 'saved')
  await cp(place, saved, { recursive: true })
  const restore = async (): Promise<void> => {
    await rm(place, { recursive: true })
    await cp(saved, place, { recursive: true })
  }
  const manifest = join(place, 'manifest')
  const text = await readFile(manifest, 'utf8')
  const body = text.slice(65).replace(/"tool":"[^"]*"/, '"tool":"0.0.9 0000000000000000"')
  await writeFile(manifest, `${createHash('sha256').update(body).digest('hex')}\n${body}`)
  await refused(right, /another version of vmcheck/)
  for (const damaged of [
    text.slice(0, 100),
    '',
    text.replace(/"frontier":\[[^\]]*\]/, '"frontier":[]'),
    text.replace('"parts":[', '"parts":[[],'),
  ]) {
    await writeFile(manifest, damaged)
    await refused(right, /its manifest is damaged/)
  }
  await restore()
  const name = (await readdir(place)).find((file) => file.endsWith('-1.bin')) as string
  const part = join(place, name)
  const bytes = await readFile(part)
  bytes[4] = (bytes[4] as number) ^ 1
  await writeFile(part, bytes)
  await refused(right, /part-\w+-1\.bin is damaged/)
  await writeFile(part, bytes.subarray(0, bytes.length - 8))
  await refused(right, /part-\w+-1\.bin is damaged/)
  await rm(part)
  await refused(right, /part-\w+-1\.bin cannot be read/)
  await restore()
  await writeFile(join(place, 'part-00000000-99.bin.tmp'), 'left by one that was killed')
  t.is((await vmcheck([...right, '--resume', place, '--quiet'])).status, 0)
  const blocked = await vmcheck([...start, '--checkpoint', join(process.cwd(), 'package.json/kept')])
  t.is(blocked.status, 2)
  t.regex(blocked.err, /package\.json\/kept: cannot be written/)
  t.is((await vmcheck([...right, '--checkpoint-every', '3'])).status, 2)
})
