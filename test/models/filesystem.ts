// Flanagan and Godefroid (POPL 2005), figure 2: threads allocate blocks to files, under a lock for each inode and each block.
import { int, model, range, struct, bool } from 'vmcheck'
import { Mutex } from 'vmcheck/vm'

const INODES = 32
const BLOCKS = 26

export default model({
  title: 'File system: threads that allocate blocks to inodes',
  params: { threads: int(14, { min: 1, max: 24 }) },
  machine(m, { threads }) {
    const Inode = struct<{ block: number }>('inode', { block: range(0, BLOCKS) })
    const Block = struct<{ busy: boolean }>('block', { busy: bool })
    const inodes = m.array(Inode, INODES, 'inode')
    const blocks = m.array(Block, BLOCKS, 'block')
    const inodeLocks = inodes.map((_, i) => new Mutex(m, `inode lock[${i}]`))
    const blockLocks = blocks.map((_, i) => new Mutex(m, `block lock[${i}]`))
    for (let id = 0; id < threads; id++) {
      const inode = id % INODES
      m.thread(function* allocator() {
        yield* inodeLocks[inode]!.acquire()
        if (inodes[inode]!.block === 0) {
          let block = (inode * 2) % BLOCKS
          for (;;) {
            yield* blockLocks[block]!.acquire()
            if (!blocks[block]!.busy) {
              blocks[block]!.busy = true
              inodes[inode]!.block = block + 1
              yield* blockLocks[block]!.release()
              break
            }
            yield* blockLocks[block]!.release()
            block = (block + 1) % BLOCKS
          }
        }
        yield* inodeLocks[inode]!.release()
      })
    }
  },
})
