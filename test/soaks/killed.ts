// A checkpointed search, killed at random moments and gone on with: `npm run killed -- --moments 50`.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { Report } from '../../src/report/report.ts'

/** What is searched: 1,145,519 states, about three seconds. */
const SEARCH = [
  'explore',
  'models/wire.ts',
  '--scenario',
  'names-three',
  '--reduce',
  'none',
  '--json',
  '--checkpoint-every',
  '0',
]
/** Its counts. */
export const COUNTS = { states: 1_145_519, transitions: 2_507_529, depth: 106, endStates: 1 } as const
/** Milliseconds within which it is killed: sometimes before it has begun, seldom after it has ended. */
const LONGEST = 3500

/** What became of one kill: how long the search had run, whether it had ended by itself, and the counts of the one that went on. */
export interface Killed {
  readonly after: number
  readonly hadEnded: boolean
  readonly counts: Pick<Report['stats'], keyof typeof COUNTS> | string
}

/** Kills a search at a moment (a share of the longest time), and continues with it to its end. */
export async function killedAt(share: number): Promise<Killed> {
  const folder = await mkdtemp(join(tmpdir(), 'vmcheck-killed-'))
  const after = Math.round(share * LONGEST)
  try {
    const first = await run([...SEARCH, '--checkpoint', folder], after)
    if (!first.wasKilled) return { after, hadEnded: true, counts: countsOf(first.out) }
    const second = await run([...SEARCH, '--checkpoint', folder, '--resume', folder], null)
    return { after, hadEnded: false, counts: second.status === 0 ? countsOf(second.out) : second.err }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function countsOf(json: string): Killed['counts'] {
  const { states, transitions, depth, endStates } = (JSON.parse(json) as Report).stats
  return { states, transitions, depth, endStates }
}

function run(
  args: readonly string[],
  killAfter: number | null,
): Promise<{
  readonly wasKilled: boolean
  readonly status: number | null
  readonly out: string
  readonly err: string
}> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [resolve('bin/vmcheck.js'), ...args])
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    const timer = killAfter === null ? null : setTimeout(() => child.kill('SIGKILL'), killAfter)
    child.on('close', (status, signal) => {
      if (timer) clearTimeout(timer)
      done({ wasKilled: signal === 'SIGKILL', status, out, err })
    })
  })
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { moments: { type: 'string', default: '50' } } })
  let bad = 0
  for (let i = 0; i < Number(values.moments); i++) {
    const { after, hadEnded, counts } = await killedAt(Math.random())
    const isSame = JSON.stringify(counts) === JSON.stringify(COUNTS)
    if (!isSame) bad++
    console.log(
      `${isSame ? 'same counts' : 'DIFFERS'}  ${hadEnded ? 'ended before' : 'killed after'} ${after} ms${isSame ? '' : `: ${JSON.stringify(counts)}`}`,
    )
  }
  console.log(`${values.moments} moments, ${bad} with other counts`)
  process.exitCode = bad === 0 ? 0 : 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
