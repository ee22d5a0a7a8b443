import test from 'ava'
import fc from 'fast-check'
import { Interner, internerBuffers } from '../src/explore/interner.ts'
import { MAX_SEGMENTS, StateStore, newSegment } from '../src/explore/state-store.ts'

test('the store keeps distinct states apart and finds equal ones, also after its table is replaced', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(3), fc.integer())), (states) => {
      const store = new StateStore(3)
      const segments = [newSegment(3)]
      const usage = new SharedArrayBuffer((MAX_SEGMENTS + 1) * 4)
      store.attach({ segments, usage, table: new SharedArrayBuffer(1024) })
      const numbers = new Map<string, number>()
      for (const state of states) {
        const number = store.insert(Int32Array.from(state))
        t.is(store.inserted, !numbers.has(state.join()))
        if (!store.inserted) t.is(number, numbers.get(state.join()) as number)
        numbers.set(state.join(), number)
      }
      store.attach({ segments, usage, table: new SharedArrayBuffer(4096) })
      store.rehash(0)
      for (const [text, number] of numbers) {
        t.is(store.find(Int32Array.from(text.split(',').map(Number))), number)
        t.is([...store.at(number)].join(), text)
      }
      t.is(store.size, numbers.size)
    }),
    { numRuns: 50 },
  )
})

test('the interner gives equal blobs one number', (t) => {
  const interner = new Interner(internerBuffers(1 << 10, 1 << 14))
  const numbers = new Map<string, number>()
  for (let i = 0; i < 2000; i++) {
    const blob = [i % 37, (i * 7) % 11]
    const number = interner.intern(blob)
    t.is(number, numbers.get(blob.join()) ?? number)
    numbers.set(blob.join(), number)
    t.deepEqual([...interner.blob(number)], blob)
  }
  t.is(interner.size, numbers.size)
  t.throws(() => {
    for (let i = 0; i < 2000; i++) interner.intern([i, i])
  }, { name: 'InternerFullError' })
})
