import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LocatedFinding } from '../../successors/findings.ts'
import type { Range } from '../../store/store-buffers.ts'

/** A checkpoint that cannot be read, or is of another search. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError'
}

/** What a search is of: a checkpoint is taken up only by one that is the same in all of it. */
export interface Identity {
  /** What vmcheck is that runs: its version and a digest of its files. */
  readonly tool: string
  /** Of the model's files. */
  readonly digest: string
  readonly scenario: string
  readonly params: string
  readonly granularity: string
  readonly checks: string
  readonly reduction: string
  readonly keepGoing: string
}

/** A level that is done with. */
export interface SavedLevel {
  readonly ranges: readonly Range[]
  readonly transitions: number
  readonly endStates: number
  readonly pruned: number
  readonly beyond: number
  readonly alone: number
  readonly open: number
}

/** A file of a checkpoint: states stored since the one before, then what is known of states expanded since, then local states. */
export interface Part {
  readonly file: string
  readonly sha256: string
  /** Bits of the actors' local states, as these states are packed. */
  readonly widths: readonly number[]
  /** 32-bit words of a state. */
  readonly words: number
  readonly states: readonly Range[]
  /** States whose hang bits follow, an Int32 each. */
  readonly stateWords: readonly Range[]
  /** By actor: the numbers of the local states that follow, each as its length and its words. */
  readonly locals: readonly Range[]
}

/** A search at a level's barrier. */
export interface Manifest {
  readonly schema: 'vmcheck.checkpoint/1'
  readonly identity: Identity
  /** Sets of CPUs found not to be interchangeable. */
  readonly unlike: readonly { readonly name: string; readonly reason: string }[]
  /** Seconds that the search took so far. */
  readonly seconds: number
  readonly segmentBits: number
  readonly widths: readonly number[]
  /** States used of each segment. */
  readonly usage: readonly number[]
  /** Levels that are expanded. */
  readonly levels: readonly SavedLevel[]
  /** States to be expanded next. */
  readonly frontier: readonly Range[]
  readonly looped: boolean
  readonly findings: readonly LocatedFinding[]
  /** Bytes in base 64: code sites reached, properties evaluated and met. */
  readonly coverage: string
  readonly propertyCounts: string
  readonly parts: readonly Part[]
}

/** Name of the manifest's file. */
export const MANIFEST = 'manifest'

/** A manifest as it is written: a digest in a line of its own, then JSON. */
export function manifestText(manifest: Manifest): string {
  const body = JSON.stringify(manifest)
  return `${sumOf(body)}\n${body}`
}

function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/**
 * Reads a folder's manifest; null where there is none.
 * @throws CheckpointError for a damaged one
 */
export async function readManifest(folder: string): Promise<Manifest | null> {
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
    throw new CheckpointError(`cannot be read: ${error.message}`)
  })
  if (text === null) return null
  try {
    const [sum, body] = [text.slice(0, 64), text.slice(65)]
    if (sumOf(body) !== sum) throw new SyntaxError('checksum mismatch')
    const manifest = JSON.parse(body) as Manifest
    if (manifest.schema !== 'vmcheck.checkpoint/1' || !Array.isArray(manifest.parts))
      throw new SyntaxError('not a vmcheck.checkpoint/1')
    return manifest
  } catch (error) {
    throw new CheckpointError(`its ${MANIFEST} is damaged: ${(error as Error).message}`)
  }
}

const WORDS: Readonly<Record<keyof Identity, string>> = {
  tool: 'another version of vmcheck',
  digest: 'another model, or the model has changed since',
  scenario: 'another scenario',
  params: 'other parameters',
  granularity: 'another granularity',
  checks: 'other checks',
  reduction: 'another reduction',
  keepGoing: 'a search with or without --keep-going',
}

/**
 * Makes sure that a checkpoint is of a certain search.
 * @throws CheckpointError that says what differs
 */
export function checkIdentity({ identity }: Manifest, wanted: Identity): void {
  for (const part of Object.keys(WORDS) as (keyof Identity)[]) {
    if (identity[part] !== wanted[part])
      throw new CheckpointError(`written for ${WORDS[part]} (${identity[part]}; now ${wanted[part]})`)
  }
}
