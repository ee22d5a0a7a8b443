import test from 'ava'
import fc from 'fast-check'
import { Arena, arenaBuffers } from '../../../src/explore/table/arena.ts'
import { growChoice, growRead, readSlot } from '../../../src/explore/table/step-tree.ts'
import { layoutFor } from '../state/layouts.ts'

test('a decision tree leads from the values read and alternatives taken to the leaf put there', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ narrow: fc.nat(7), wide: fc.nat(3000), choice: fc.nat(2) }), {
        minLength: 1,
        maxLength: 80,
      }),
      (paths) => {
        const arena = new Arena(arenaBuffers(2))
        const layout = layoutFor([3, 12], 1)
        const [narrow, wide] = [layout.cells[0] as never, layout.cells[1] as never]
        const leaves = new Map<string, number>()
        const grow = (path: (typeof paths)[number]): number =>
          growChoice(arena, growRead(arena, growRead(arena, 1, narrow, path.narrow), wide, path.wide), 3, path.choice)
        for (const path of paths) {
          const slot = grow(path)
          const key = `${path.narrow} ${path.wide} ${path.choice}`
          t.is(arena.words[slot], leaves.has(key) ? -(leaves.get(key) as number) : 0)
          const leaf = leaves.get(key) ?? leaves.size + 1
          arena.publish(slot, -leaf)
          leaves.set(key, leaf)
        }
        for (const path of paths) {
          const state = Int32Array.of(path.narrow | (path.wide << 3))
          let slot = readSlot(arena.words, arena.words[1] as number, state)
          slot = readSlot(arena.words, arena.words[slot] as number, state)
          t.is(
            arena.words[(arena.words[slot] as number) + 2 + path.choice],
            -(leaves.get(`${path.narrow} ${path.wide} ${path.choice}`) as number),
          )
        }
        t.is(growRead(arena, 1, wide, 0), 0, 'a tree that branches over something else')
      },
    ),
    { numRuns: 50 },
  )
})
