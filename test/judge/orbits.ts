import { Names } from '../../src/explore/symmetry/names.ts'
import { permutations } from '../../src/explore/symmetry/permutations.ts'
import { interchangeableSets } from '../../src/explore/symmetry/sets.ts'
import { Symmetry } from '../../src/explore/symmetry/symmetry.ts'
import type { InlineSearch } from '../harness/inline.ts'

/** Counts the orbits of the states of an unreduced search: each state is renamed in every way, and the least text taken. */
export function orbits({ engine, indices }: InlineSearch): number {
  const { system, locals, store } = engine
  const { sets } = interchangeableSets(system)
  if (sets.length === 0) return store.size
  const symmetry = new Symmetry(new Names(sets, system), system, locals)
  const { firstOf } = symmetry.names
  const lists = sets.map(({ members }, set) => members.map((_, i) => (firstOf[set] as number) + i))
  const images = [...permutations(lists)].map((orders) => {
    const image = new Int32Array(symmetry.names.count)
    orders.forEach((order, set) => order.forEach((to, i) => (image[(lists[set] as number[])[i] as number] = to)))
    return image
  })
  const text = (words: Int32Array): string => {
    const own = system.layout.fields.map((field) =>
      String(
        engine.reader.value(field, words) && (engine.reader.value(field, words) as { name?: string }).name
          ? (engine.reader.value(field, words) as { name: string }).name
          : engine.reader.value(field, words),
      ),
    )
    return JSON.stringify([own, ...system.actors.map(({ id }) => [...locals.code(words, id)])])
  }
  const found = new Set<string>()
  for (const index of indices()) {
    const words = store.at(index)
    found.add(
      images.map((image) => text(symmetry.rename(words, image))).reduce((least, one) => (one < least ? one : least)),
    )
  }
  return found.size
}
