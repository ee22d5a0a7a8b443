import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bundle } from '../compile/bundle.ts'

const execute = promisify(execFile)

/** A revision that cannot be looked at. */
export class RevisionError extends Error {
  override readonly name = 'RevisionError'
}

/**
 * The digests that models had at a revision of the repository; null for one that was not there, or did not bundle.
 *
 * @param files models' paths relative to `cwd`
 * @throws RevisionError without a repository, or for an unknown revision
 */
export async function digestsAt(revision: string, files: readonly string[], cwd: string): Promise<ReadonlyMap<string, string | null>> {
  const prefix = await prefixOf(cwd)
  const commit = await commitOf(revision, cwd)
  const folder = await mkdtemp(join(tmpdir(), 'vmcheck-revision-'))
  try {
    // an index of its own: the user's is left alone
    const env = { ...process.env, GIT_INDEX_FILE: join(folder, 'index') }
    const top = await git(['rev-parse', '--show-toplevel'], cwd, 'this repository has no work tree')
    await execute('git', ['read-tree', commit], { cwd: top, env })
    await execute('git', ['checkout-index', '--all', '--force', `--prefix=${join(folder, 'tree')}/`], { cwd: top, env })
    const then = join(folder, 'tree', prefix)
    const found = await Promise.all(files.map(async (file) => [file, await bundle(file, then, null, 'native').then(({ digest }) => digest, () => null)] as const))
    return new Map(found)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * The text that a file had at a revision of the repository; null where it was not there.
 * @throws RevisionError without a repository, or for an unknown revision
 */
export async function textAt(revision: string, file: string, cwd: string): Promise<string | null> {
  await prefixOf(cwd)
  const commit = await commitOf(revision, cwd)
  try {
    return (await execute('git', ['show', `${commit}:./${file}`], { cwd, maxBuffer: 2 ** 28 })).stdout
  } catch {
    return null
  }
}

function prefixOf(cwd: string): Promise<string> {
  return git(['rev-parse', '--show-prefix'], cwd, 'this folder is in no git repository')
}

function commitOf(revision: string, cwd: string): Promise<string> {
  return git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`], cwd, `git knows no revision "${revision}" (in CI, fetch enough history)`)
}

async function git(args: readonly string[], cwd: string, problem: string): Promise<string> {
  try {
    return (await execute('git', [...args], { cwd })).stdout.trim()
  } catch (error) {
    throw new RevisionError((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'git is not installed' : problem)
  }
}
