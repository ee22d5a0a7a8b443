import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const BIN = resolve('bin/vmcheck.js')

/** Folder where one run of the tests caches lowered files; null: nowhere. */
export const CACHE: string | null = process.env['TEST_CACHE'] ?? null

/** What a command printed, and its exit status. */
export interface Ran {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

/** How a command is run. */
export interface CommandOptions {
  readonly cwd?: string
  readonly columns?: number
  /** Milliseconds after which Ctrl-C is sent. */
  readonly interrupt?: number
  /** Milliseconds after which it is killed. */
  readonly patience?: number
  readonly cache?: string
  /** What it reads from standard input. */
  readonly input?: string
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>
}

/** Runs the command as a user does. */
export function vmcheck(args: readonly string[], options: CommandOptions = {}): Promise<Ran> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: options.cwd ?? process.cwd(),
      env: {
        ...process.env,
        NO_COLOR: '1',
        VMCHECK_CACHE: options.cache ?? CACHE ?? 'off',
        ...(options.columns !== undefined && { COLUMNS: String(options.columns) }),
        GITHUB_ACTIONS: '',
        ...options.env,
      },
    })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    child.stdin.on('error', () => {}) // it may end before it has read everything
    child.stdin.end(options.input ?? '')
    if (options.interrupt !== undefined) setTimeout(() => child.kill('SIGINT'), options.interrupt)
    const patience =
      options.patience === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.patience)
    child.on('close', (status) => {
      clearTimeout(patience)
      done({ status, out, err })
    })
  })
}

/** A folder with the given files. */
export async function folder(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'vmcheck-cli-'))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true })
    await writeFile(join(path, name), text)
  }
  return path
}
