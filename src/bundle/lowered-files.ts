import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SHIPPED } from '../installation.ts'

/** What the build wrote beside the compiled sources: the simulated machine's files, lowered. */
export interface Shipped {
  /** Digest of the lowering itself: texts lowered by another one are not used. */
  readonly key: string
  /** Lowered text by {@link digestOf} of what it was lowered from. */
  readonly files: Readonly<Record<string, string>>
}

/** A month: folders of other versions that were not used for so long are removed. */
const UNUSED_MS = 30 * 24 * 3600 * 1000

/** What a lowered text depends on beside the lowering: the source, the name it is shown by, whether it is counted. */
export function digestOf(source: string, file: string, counted: boolean): string {
  return createHash('sha256')
    .update(`${file}\0${String(counted)}\0${source}`)
    .digest('hex')
}

/** Lowered texts and bundles that need not be made again: those shipped, and those cached in a folder, each under its digest. */
export class LoweredFiles {
  readonly #shipped: Shipped | null
  readonly #folder: string | null

  private constructor(shipped: Shipped | null, folder: string | null) {
    this.#shipped = shipped
    this.#folder = shipped && folder !== null ? join(folder, shipped.key) : null
  }

  /** @param folder where texts are cached; null: nowhere */
  static async open(folder: string | null): Promise<LoweredFiles> {
    const text = await readFile(SHIPPED, 'utf8').catch(() => null)
    return new LoweredFiles(text === null ? null : (JSON.parse(text) as Shipped), folder)
  }

  /** The lowered text of a file, or null when it has to be made. */
  async get(digest: string): Promise<string | null> {
    return this.#shipped?.files[digest] ?? this.#read(`${digest}.js`)
  }

  /** Caches a text; where that is not possible, it is made again next time. */
  async put(digest: string, text: string): Promise<void> {
    await this.#write(`${digest}.js`, text)
  }

  /** A cached bundle, or null. */
  async getBundle(digest: string): Promise<string | null> {
    return this.#read(`${digest}.bundle`)
  }

  /** Caches a bundle. */
  async putBundle(digest: string, text: string): Promise<void> {
    await this.#write(`${digest}.bundle`, text)
  }

  async #read(name: string): Promise<string | null> {
    if (this.#folder === null) return null
    const cached = await readFile(join(this.#folder, name), 'utf8').catch(() => null)
    return cached === null ? null : intact(cached)
  }

  async #write(name: string, text: string): Promise<void> {
    if (this.#folder === null) return
    try {
      await mkdir(this.#folder, { recursive: true })
      const path = join(this.#folder, name)
      const temporary = `${path}.${process.pid}`
      await writeFile(temporary, `${createHash('sha256').update(text).digest('hex')}\n${text}`)
      await rename(temporary, path)
      await this.#forgetOthers(dirname(this.#folder))
    } catch {
      return
    }
  }

  async #forgetOthers(root: string): Promise<void> {
    for (const name of await readdir(root)) {
      const path = join(root, name)
      if (path === this.#folder || !/^[0-9a-f]{64}$/.test(name)) continue
      if (Date.now() - (await stat(path)).mtimeMs > UNUSED_MS) await rm(path, { recursive: true, force: true })
    }
  }
}

/** A cached text without its first line, the digest of the rest; null for one that was damaged. */
function intact(cached: string): string | null {
  const end = cached.indexOf('\n')
  const text = cached.slice(end + 1)
  return createHash('sha256').update(text).digest('hex') === cached.slice(0, end) ? text : null
}
