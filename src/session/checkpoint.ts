import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Checkpoints } from '../explore/search/checkpoint/checkpoints.ts'
import {
  CheckpointError,
  type Identity,
  type Manifest,
  checkIdentity,
  readManifest,
} from '../explore/search/checkpoint/manifest.ts'
import type { UnusedSet } from '../explore/symmetry/sets.ts'
import type { Check } from '../model/check.ts'
import { buildDigest } from './build-identity.ts'
import type { CheckpointRequest, ExploreRequest, Preparation } from './request.ts'
import type { Environment } from './environment.ts'
import { UsageError } from '../source/usage-error.ts'

/** The checkpoints of a request: what there is to continue from, and where to write. */
export class KeptSearch {
  /** Sets of CPUs that the search before found not to be interchangeable. */
  readonly unlike: readonly UnusedSet[]
  readonly #request: CheckpointRequest
  readonly #manifest: Manifest | null
  readonly #tool: string
  readonly #folder: string

  private constructor(request: CheckpointRequest, manifest: Manifest | null, tool: string, folder: string) {
    this.#request = request
    this.#manifest = manifest
    this.#tool = tool
    this.#folder = folder
    this.unlike = manifest?.unlike ?? []
  }

  /**
   * Looks at what a folder holds.
   * @throws UsageError where there is no checkpoint to continue, or there is one that would be lost; CheckpointError for a damaged one
   */
  static async open(request: CheckpointRequest, { cwd }: Environment): Promise<KeptSearch> {
    const folder = resolve(cwd, request.folder)
    const manifest = await readManifest(folder)
    if (!manifest && !request.mayBegin) throw new UsageError(`--resume ${request.folder}: there is no checkpoint`)
    if (manifest && !request.mayResume)
      throw new UsageError(
        `--checkpoint ${request.folder}: there is a checkpoint already; continue it with --resume ${request.folder}, or remove the folder`,
      )
    await mkdir(folder, { recursive: true })
      .then(() => access(folder, constants.W_OK))
      .catch((error: Error) => {
        throw new UsageError(`--checkpoint ${request.folder}: cannot be written: ${error.message}`)
      })
    return new KeptSearch(request, manifest, await buildDigest(), folder)
  }

  /**
   * The checkpoints of one search.
   * @throws CheckpointError where what is there is of another one
   */
  checkpoints(
    { digest }: { readonly digest: string },
    { name, params, granularity }: Preparation,
    checks: readonly Check[],
    unlike: readonly UnusedSet[],
    { reduce, keepGoing }: ExploreRequest,
  ): Checkpoints {
    const identity: Identity = {
      tool: this.#tool,
      digest,
      scenario: String(name),
      params: JSON.stringify(params),
      granularity,
      checks: checks.map((check) => check.name).join(' '),
      reduction: reduce,
      keepGoing: String(keepGoing),
    }
    // a set of CPUs that was found out now makes it another search
    const resumed = this.#manifest && unlike.length === this.unlike.length ? this.#manifest : null
    if (resumed) checkIdentity(resumed, identity)
    return new Checkpoints(this.#folder, identity, unlike, resumed, this.#request.every)
  }
}

/**
 * Runs what reads or writes a checkpoint.
 * @throws UsageError instead of CheckpointError
 */
export async function naming<T>(folder: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    throw error instanceof CheckpointError ? new UsageError(`checkpoint ${folder}: ${error.message}`) : error
  }
}
