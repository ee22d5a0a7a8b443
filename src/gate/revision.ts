import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bundle } from '../bundle/bundle.ts'

const execute = promisify(execFile)

/** A revision that cannot be looked at. */
export class RevisionError extends Error {
  override readonly name = 'RevisionError'
}

/** A revision of the repository that a folder lies in. */
export interface Revision {
  readonly commit: string
  readonly cwd: string
  /** The folder's path within the repository; empty at its top. */
  readonly prefix: string
}

/**
 * Looks a revision up.
 * @throws RevisionError without a repository, or for an unknown revision
 */
export async function revisionAt(revision: string, cwd: string): Promise<Revision> {
  const prefix = await git(['rev-parse', '--show-prefix'], cwd, 'this folder is in no git repository')
  const commit = await git(
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`],
    cwd,
    `git knows no revision "${revision}" (in CI, fetch enough history)`,
  )
  return { commit, cwd, prefix }
}

/**
 * The digests that models had at a revision; null for one that was not there, or did not bundle.
 *
 * @param files models' paths relative to the folder
 * @throws RevisionError without a work tree
 */
export async function digestsAt(
  { commit, cwd, prefix }: Revision,
  files: readonly string[],
): Promise<ReadonlyMap<string, string | null>> {
  const folder = await mkdtemp(join(tmpdir(), 'vmcheck-revision-'))
  try {
    // an index of its own: the user's is left alone
    const env = { ...process.env, GIT_INDEX_FILE: join(folder, 'index') }
    const top = await git(['rev-parse', '--show-toplevel'], cwd, 'this repository has no work tree')
    await execute('git', ['read-tree', commit], { cwd: top, env })
    await execute('git', ['checkout-index', '--all', '--force', `--prefix=${join(folder, 'tree')}/`], { cwd: top, env })
    const then = join(folder, 'tree', prefix)
    const found = await Promise.all(
      files.map(
        async (file) =>
          [
            file,
            await bundle(file, then, null, 'native').then(
              ({ digest }) => digest,
              () => null,
            ),
          ] as const,
      ),
    )
    return new Map(found)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The text that a file had at a revision; null where it was not there. */
export async function textAt({ commit, cwd }: Revision, file: string): Promise<string | null> {
  try {
    return (await execute('git', ['show', `${commit}:./${file}`], { cwd, maxBuffer: 2 ** 28 })).stdout
  } catch {
    return null
  }
}

async function git(args: readonly string[], cwd: string, problem: string): Promise<string> {
  try {
    return (await execute('git', [...args], { cwd })).stdout.trim()
  } catch (error) {
    throw new RevisionError((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'git is not installed' : problem)
  }
}
