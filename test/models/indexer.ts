// Flanagan and Godefroid (POPL 2005), figure 1: threads enter messages into a hash table by compare-and-swap; only from 12 on they meet.
import { type Instance, type Program, atomically, int, model, range, struct } from 'vmcheck'

const SIZE = 128
const MESSAGES = 4

interface Slot {
  message: number
}

const SlotStruct = struct<Slot>('slot', { message: range(0, 1023) })

/** Enters a message into a slot, if it is free. */
function* enter(slot: Instance<Slot>, message: number): Program<boolean> {
  return yield* atomically(() => {
    if (slot.message !== 0) return false
    slot.message = message
    return true
  })
}

export default model({
  title: 'Indexer: threads that enter messages into a hash table',
  params: { threads: int(12, { min: 1, max: 16 }) },
  machine(m, { threads }) {
    const table = m.array(SlotStruct, SIZE, 'table')
    for (let id = 0; id < threads; id++) {
      m.thread(function* indexer() {
        for (let i = 1; i <= MESSAGES; i++) {
          const message = i * 11 + id
          let hash = (message * 7) % SIZE
          while (!(yield* enter(table[hash] as Instance<Slot>, message))) hash = (hash + 1) % SIZE
        }
      })
    }
  },
})
