import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What a command took. */
export interface Cost {
  readonly out: string
  /** Wall seconds. */
  readonly wall: number
  /** CPU seconds, all threads. */
  readonly cpu: number
  /** Peak of resident memory, bytes. */
  readonly peak: number
}

/**
 * Runs a command under GNU time.
 * @throws Error when it cannot be run or ends with a status that is not among `expected`
 */
export async function measured(
  folder: string,
  command: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Cost> {
  const notes = join(folder, 'time.txt')
  const started = performance.now()
  const { stdout } = await run('/usr/bin/time', ['-o', notes, '-f', '%U %S %M', ...command], {
    cwd: folder,
    maxBuffer: 2 ** 26,
    env: { ...process.env, ...environment },
  })
  const wall = (performance.now() - started) / 1000
  const [user, system, peak] = ((await readFile(notes, 'utf8')).trim().split('\n').at(-1) as string)
    .split(' ')
    .map(Number) as [number, number, number]
  await rm(notes)
  return { out: stdout, wall, cpu: user + system, peak: peak * 1024 }
}

/** Whether a command is there. */
export async function isInstalled(command: string): Promise<boolean> {
  try {
    await run('sh', ['-c', `command -v ${command}`])
    return true
  } catch {
    return false
  }
}

/** The number that a pattern's first group captures in a text, or NaN. */
export function numberIn(text: string, pattern: RegExp): number {
  return Number((pattern.exec(text)?.[1] ?? 'NaN').replaceAll(',', ''))
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/** The geometric mean of some numbers. */
export function geometricMean(numbers: readonly number[]): number {
  return Math.exp(numbers.reduce((sum, number) => sum + Math.log(number), 0) / numbers.length)
}
