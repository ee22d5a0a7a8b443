import test from 'ava'
import fc from 'fast-check'
import { Interner, internerBuffers } from '../../../src/explore/state/interner.ts'
import { hashState } from '../../../src/explore/store/state-hash.ts'
import { StateStore } from '../../../src/explore/store/state-store.ts'
import {
  MAX_SEGMENTS,
  type StoreBuffers,
  newSegment,
  numberBits,
  storeBytes,
} from '../../../src/explore/store/store-buffers.ts'

/** StateMemory for states of some words in segments of 2^bits states. */
function memoryFor(
  words: number,
  slots: number,
  segments: readonly SharedArrayBuffer[],
  segmentBits: number,
  usage: SharedArrayBuffer,
): StoreBuffers {
  return { words, segments, segmentBits, usage, numberBits: numberBits(slots), table: new SharedArrayBuffer(slots * 4) }
}

test('the store keeps distinct states apart and finds equal ones, also after its table is replaced', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(40), fc.nat(3), fc.integer())),
      fc.integer({ min: 1, max: 20 }),
      (states, together) => {
        const store = new StateStore()
        const segments = [newSegment(3, 10)]
        const usage = new SharedArrayBuffer((MAX_SEGMENTS + 1) * 4)
        store.attach(memoryFor(3, 256, segments, 10, usage))
        for (let i = 0; i < states.length; i += together) {
          const rows = Int32Array.from(states.slice(i, i + together).flat())
          const hashes = Int32Array.from({ length: rows.length / 3 }, (_, k) => hashState(rows, k * 3, 3))
          store.insertAll({ rows, hashes, count: hashes.length })
        }
        const distinct = new Set(states.map((state) => state.join()))
        t.is(store.size, distinct.size)
        t.deepEqual(new Set(Array.from({ length: store.size }, (_, i) => store.at(i).join())), distinct)
        store.attach(memoryFor(3, 1024, segments, 10, usage))
        store.rehash({ from: 0, to: store.size }, together > 5)
        for (let i = 0; i < store.size; i++) t.is(store.find(store.at(i)), i)
        t.is(store.find(Int32Array.of(41, 0, 0)), -1)
        t.is(store.size, distinct.size)
      },
    ),
    { numRuns: 50 },
  )
})

test('state numbers beyond 2^31, and bytes beyond 2^31, are handled as they are', (t) => {
  // all segments but the last are one and the same small fake, said to be full
  const bits = 20
  const last = MAX_SEGMENTS - 1
  const fake = new SharedArrayBuffer(4)
  const segments = Array.from({ length: MAX_SEGMENTS }, (_, i) => (i === last ? newSegment(2, bits) : fake))
  const usage = new SharedArrayBuffer((MAX_SEGMENTS + 1) * 4)
  new Int32Array(usage).fill(2 ** bits, 1, last + 1)[0] = last
  const store = new StateStore()
  const slots = 1 << 12
  const stateMemory = { ...memoryFor(2, slots, segments, bits, usage), numberBits: 32 }
  store.attach(stateMemory)
  const first = last * 2 ** bits
  t.true(first > 2 ** 31)
  t.is(store.size, first)
  const states = Array.from({ length: 500 }, (_, i) => Int32Array.of(i, -i))
  for (const state of [...states, ...states]) store.insert(state)
  t.is(store.size, first + 500)
  t.deepEqual(store.rangesSince(new Int32Array(usage.slice(4, 4 + last * 4))), [{ from: first, to: first + 500 }])
  states.forEach((state, i) => {
    t.is(store.find(state), first + i)
    t.deepEqual([...store.at(first + i)], [...state])
  })
  const batch = {
    rows: Int32Array.from(states.flatMap((state) => [...state])),
    hashes: Int32Array.from(states, (state) => hashState(state, 0, 2)),
    count: 500,
  }
  t.deepEqual(
    [...store.findAll(batch)].slice(0, 500).map((number) => number >>> 0),
    states.map((_, i) => first + i),
  )
  store.attach({ ...stateMemory, table: new SharedArrayBuffer(slots * 8) })
  store.rehash({ from: first, to: first + 500 }, false)
  t.is(store.find(states[499] as Int32Array), first + 499)
  t.is(storeBytes(stateMemory, store.size), store.size * 8 + slots * 4)
  t.true(storeBytes(stateMemory, store.size) > 2 ** 34)
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
  t.throws(
    () => {
      for (let i = 0; i < 2000; i++) interner.intern([i, i])
    },
    { name: 'InternerFullError' },
  )
})
