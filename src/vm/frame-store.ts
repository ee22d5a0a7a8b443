import { type Instance, type Machine, type Pool, type Reuse, type StructType, struct, u } from 'vmcheck'
import { checkOptions } from './options.ts'

/** A page of physical memory. */
export interface Frame {
  /** The kernel's count of references to it. */
  references: number
  /** The content that user programs read: one number, or a bit for each cell. */
  content: number
}

/** The struct of {@link Frame}. */
export const FrameStruct: StructType<Frame> = struct<Frame>('frame', { references: u(4), content: u(8) })

/** The options of a frame store. */
export interface FrameStoreOptions {
  /** How many frames there are. */
  readonly frames: number
  /** The choice of the next free frame. Default `lowest`. */
  readonly reuse?: Reuse
  /** Name in traces. Default `frame`. */
  readonly name?: string
}

/**
 * Frames with reference counts. Its methods belong in atomic sections: they stand for code under the allocator's lock.
 *
 * @example
 * const frames = new FrameStore(m, { frames: 1, name: 'frame' })
 * m.cpus(2, () => function* user() {
 *   const frame = yield* atomically(() => frames.allocate(0))
 *   if (frame) yield* atomically(() => frames.release(frame))
 * })
 * m.atRest('nothing is leaked', () => frames.allocated.length === 0)
 */
export class FrameStore {
  /** The frames. */
  readonly frames: Pool<Frame>
  readonly #m: Machine

  constructor(m: Machine, options: FrameStoreOptions) {
    checkOptions('a frame store', options, ['frames', 'reuse', 'name'])
    const { frames, reuse, name } = options
    this.#m = m
    this.frames = m.pool(FrameStruct, frames, name ?? 'frame', { reuse: reuse ?? 'lowest' })
  }

  /** A frame with one reference; null when there is none. */
  allocate(content = 0): Instance<Frame> | null {
    return this.frames.allocate({ references: 1, content })
  }

  /** One more reference. */
  reference(frame: Instance<Frame>): void {
    this.#m.assert(
      () => this.frames.isAllocated(frame) || `${frame.name} is free already`,
      'a free frame gets no reference',
    )
    frame.references += 1
  }

  /** One reference fewer; the last one frees the frame. Whether it did. */
  release(frame: Instance<Frame>): boolean {
    this.#m.assert(() => this.frames.isAllocated(frame) || `${frame.name} is free already`, 'no page is put twice')
    frame.references -= 1
    if (frame.references > 0) return false
    this.frames.free(frame)
    return true
  }

  /** Whether a frame is allocated: for properties. */
  isAllocated(frame: Instance<Frame>): boolean {
    return this.frames.isAllocated(frame)
  }

  /** The allocated frames: for properties. */
  get allocated(): readonly Instance<Frame>[] {
    return this.frames.instances.filter((frame) => this.frames.isAllocated(frame))
  }
}
