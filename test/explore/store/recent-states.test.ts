import test from 'ava'
import fc from 'fast-check'
import { RecentStates } from '../../../src/explore/store/recent-states.ts'
import { hashPart, hashState } from '../../../src/explore/store/state-hash.ts'

test('a hash changed part by part is the hash of the changed state', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 9 }), fc.nat(8), fc.integer(), (words, at, value) => {
      const state = Int32Array.from(words)
      const word = at % state.length
      const changed = state.with(word, value)
      t.is(
        hashState(state, 0, state.length) ^ hashPart(word, state[word] as number) ^ hashPart(word, value),
        hashState(changed, 0, changed.length),
      )
    }),
  )
})

test('recent states are those sifted before, whole, and none after all are forgotten', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { maxLength: 60 }),
      fc.constantFrom(2, 8, 64),
      (states, entries) => {
        const recent = new RecentStates(2, entries)
        const rows = Int32Array.from(states.flat())
        const hashes = Int32Array.from(states, (_, i) => hashState(rows, i * 2, 2))
        const found = new Int32Array(states.length)
        const count = recent.sift(rows, hashes, 0, states.length, found)
        const fresh = [...found.subarray(0, count)]
        const seen = new Set<string>()
        states.forEach((state, i) => {
          if (!seen.has(state.join())) t.true(fresh.includes(i), 'a state not seen before is passed on')
          seen.add(state.join())
        })
        recent.clear()
        t.is(recent.sift(rows, hashes, 0, Math.min(1, states.length), found), Math.min(1, states.length))
      },
    ),
  )
})
