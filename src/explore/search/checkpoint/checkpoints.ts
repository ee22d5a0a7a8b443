import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LocalStates } from '../../state/local-states.ts'
import type { StateWords } from '../../store/state-words.ts'
import type { StateStore } from '../../store/state-store.ts'
import type { Range } from '../../store/store-buffers.ts'
import { rangesSize } from '../../store/store-buffers.ts'
import { CheckpointError, type Identity, MANIFEST, type Manifest, type Part, manifestText } from './manifest.ts'

/** States, or words of local states, that are written or read at a time. */
const PIECE = 1 << 15

/** What a checkpoint is taken of. */
export interface Source {
  readonly store: StateStore
  readonly stateWords: StateWords
  readonly locals: LocalStates
  readonly actors: number
  /** Whether hang bits are kept. */
  readonly hasStateWords: boolean
}

/** A search at a barrier, but for what the files hold. */
export type Snapshot = Omit<Manifest, 'schema' | 'identity' | 'unlike' | 'parts'>

/** What becomes of the contents of a checkpoint's files, in order. */
export interface Restoring {
  /** Words of states that are numbered from `first` on, as the part packs them. */
  states(part: Part, first: number, words: Int32Array): void
  stateWords(first: number, bits: Int32Array): void
  /** A local state of an actor, in the order of their numbers. */
  local(actor: number, id: number, words: Int32Array): void
}

/**
 * Checkpoints of one search in a folder. Files are added, never changed: each holds what has come since the one before.
 * The manifest, which names those that count, is replaced as a whole: whenever the process dies, it is the last good one.
 */
export class Checkpoints {
  readonly #folder: string
  readonly #identity: Identity
  readonly #unlike: Manifest['unlike']
  /** Milliseconds between two of them. */
  readonly #period: number
  /** In the names of parts: one search's never take the place of another's. */
  readonly #series = randomBytes(4).toString('hex')
  #last = performance.now()
  #parts: readonly Part[]
  /** What the parts hold: states of each segment, levels with hang bits, local states of each actor. */
  #saved: { usage: readonly number[]; levels: number; locals: readonly number[] }
  /** The checkpoint to continue from; null: from the start. */
  readonly resumed: Manifest | null

  /**
   * @param resumed a manifest read from the folder, of a search of the same identity
   * @param seconds between two checkpoints; 0: at every barrier
   */
  constructor(
    folder: string,
    identity: Identity,
    unlike: Manifest['unlike'],
    resumed: Manifest | null,
    seconds: number,
  ) {
    this.#folder = folder
    this.#identity = identity
    this.#unlike = unlike
    this.#period = seconds * 1000
    this.resumed = resumed
    this.#parts = resumed?.parts ?? []
    this.#saved = resumed
      ? {
          usage: resumed.usage,
          levels: resumed.levels.length,
          locals: resumed.parts.at(-1)?.locals.map(({ to }) => to) ?? [],
        }
      : { usage: [], levels: 0, locals: [] }
  }

  /** Whether it is time for another one. */
  get isDue(): boolean {
    return performance.now() - this.#last >= this.#period
  }

  /** One could not be written: the next is due a period later. */
  postpone(): void {
    this.#last = performance.now()
  }

  /**
   * Writes a checkpoint.
   * @throws CheckpointError when it cannot be written; the one before stays
   */
  async save(snapshot: Snapshot, source: Source): Promise<void> {
    const { segmentBits, usage, levels } = snapshot
    const first = (segment: number): number => segment * 2 ** segmentBits
    const part = {
      file: `part-${this.#series}-${this.#parts.length}.bin`,
      widths: source.locals.packing.widths,
      words: source.store.words,
      states: usage.flatMap((to, i) =>
        to > (this.#saved.usage[i] ?? 0) ? [{ from: first(i) + (this.#saved.usage[i] ?? 0), to: first(i) + to }] : [],
      ),
      stateWords: source.hasStateWords ? levels.slice(this.#saved.levels).flatMap(({ ranges }) => ranges) : [],
      locals: Array.from({ length: source.actors }, (_, actor): Range => ({
        from: this.#saved.locals[actor] ?? 0,
        to: source.locals.size(actor),
      })),
    }
    try {
      await mkdir(this.#folder, { recursive: true })
      const sha256 = await this.#replace(part.file, (write) => contents(part, source, write))
      const parts = [...this.#parts, { ...part, sha256 }]
      const manifest: Manifest = {
        schema: 'vmcheck.checkpoint/1',
        identity: this.#identity,
        unlike: this.#unlike,
        ...snapshot,
        parts,
      }
      await this.#replace(MANIFEST, (write) => write(Buffer.from(manifestText(manifest))))
      if (this.#parts.length === 0) await sweep(this.#folder, parts)
      this.#parts = parts
      this.#saved = { usage, levels: levels.length, locals: part.locals.map(({ to }) => to) }
    } catch (error) {
      throw new CheckpointError(`cannot be written: ${(error as Error).message}`)
    }
    this.#last = performance.now()
  }

  /**
   * Reads the files of the checkpoint to continue from.
   * @throws CheckpointError for a damaged one
   */
  async restore(into: Restoring): Promise<void> {
    for (const part of this.#parts) {
      const file = await open(join(this.#folder, part.file)).catch((error: Error) => {
        throw new CheckpointError(`${part.file} cannot be read: ${error.message}`)
      })
      try {
        await read(file, part, into)
      } finally {
        await file.close()
      }
    }
  }

  /** Writes a file under a temporary name, sees that it is on disk, and gives it its name; returns its digest. */
  async #replace(name: string, fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>): Promise<string> {
    const path = join(this.#folder, name)
    const hash = createHash('sha256')
    const file = await open(`${path}.tmp`, 'w')
    try {
      await fill(async (bytes) => {
        hash.update(bytes)
        await file.writeFile(bytes)
      })
      await file.sync()
      await file.close()
      await rename(`${path}.tmp`, path)
    } catch (error) {
      await file.close().catch(() => {})
      await rm(`${path}.tmp`, { force: true }).catch(() => {})
      throw error
    }
    return hash.digest('hex')
  }
}

/** Removes a folder's checkpoint: what its search came to is written down. */
export async function discardCheckpoint(folder: string): Promise<void> {
  await rm(join(folder, MANIFEST), { force: true })
  await sweep(folder, [])
}

/** Removes what no manifest names any more. */
async function sweep(folder: string, kept: readonly Part[]): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  const isOld = (name: string): boolean =>
    /^part-[0-9a-f]{8}-\d+\.bin(\.tmp)?$|^manifest\.tmp$/.test(name) && kept.every(({ file }) => file !== name)
  for (const name of names.filter(isOld)) await rm(join(folder, name), { force: true })
}

async function contents(
  { states, stateWords, locals, words }: Omit<Part, 'sha256'>,
  source: Source,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  for (const [from, to] of pieces(states)) {
    const rows = new Int32Array((to - from) * words)
    for (let i = from; i < to; i++) source.store.load(i, rows, (i - from) * words)
    await write(bytesOf(rows))
  }
  for (const [from, to] of pieces(stateWords))
    await write(bytesOf(Int32Array.from({ length: to - from }, (_, i) => source.stateWords.get(from + i))))
  for (const [actor, { from, to }] of locals.entries()) {
    for (let at = from; at < to; at += PIECE) {
      const blobs: number[] = []
      for (let id = at; id < Math.min(to, at + PIECE); id++) {
        const blob = source.locals.blob(actor, id)
        blobs.push(blob.length)
        for (const word of blob) blobs.push(word)
      }
      await write(bytesOf(Int32Array.from(blobs)))
    }
  }
}

async function read(file: FileHandle, part: Part, into: Restoring): Promise<void> {
  const hash = createHash('sha256')
  const next = async (words: number): Promise<Int32Array> => {
    const found = new Int32Array(words)
    const bytes = bytesOf(found)
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done)
      if (bytesRead === 0) throw new CheckpointError(`${part.file} is damaged: it ends too early`)
      done += bytesRead
    }
    hash.update(bytes)
    return found
  }
  for (const [from, to] of pieces(part.states)) into.states(part, from, await next((to - from) * part.words))
  for (const [from, to] of pieces(part.stateWords)) into.stateWords(from, await next(to - from))
  const rest = await remaining(file, rangesSize(part.locals) > 0)
  hash.update(rest)
  if (hash.digest('hex') !== part.sha256) throw new CheckpointError(`${part.file} is damaged`)
  const words = new Int32Array(rest.buffer, rest.byteOffset, rest.length / 4)
  let at = 0
  for (const [actor, { from, to }] of part.locals.entries()) {
    for (let id = from; id < to; id++) {
      const length = words[at] as number
      into.local(actor, id, words.subarray(at + 1, at + 1 + length))
      at += 1 + length
    }
  }
}

/** What is left of a file, whole words. */
async function remaining(file: FileHandle, isExpected: boolean): Promise<Uint8Array> {
  const bytes = isExpected ? await file.readFile() : Buffer.alloc(0)
  const whole = new Uint8Array(bytes.length - (bytes.length % 4))
  whole.set(bytes.subarray(0, whole.length))
  return whole
}

function* pieces(ranges: readonly Range[]): Generator<readonly [from: number, to: number]> {
  for (const { from, to } of ranges) for (let at = from; at < to; at += PIECE) yield [at, Math.min(to, at + PIECE)]
}

function bytesOf(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}
