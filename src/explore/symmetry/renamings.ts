import { type Names, exchange } from './names.ts'
import { permutations } from './permutations.ts'

/** Members that a set may have for all its renamings to be tried. */
const MAX_MEMBERS = 5
/** Renamings of all sets together that are tried: 5! times 3!. */
const MAX_RENAMINGS = 720

/** The renamings that the guard tries, in a fixed order. */
export class Renamings {
  /** Names of the sets of which only exchanges of two members are tried. */
  readonly sampled: readonly string[]
  readonly #all: readonly Int32Array[]

  constructor(names: Names) {
    const sizes = names.sets.map(({ members }) => members.length)
    const count = sizes.reduce((product, size) => product * factorial(size), 1)
    const isSampled = sizes.some((size) => size > MAX_MEMBERS) || count > MAX_RENAMINGS
    this.sampled = isSampled ? names.sets.map(({ name }) => name) : []
    this.#all = isSampled ? exchanges(names) : all(names)
  }

  /** A renaming that does other things to some members than those tried did; null: there is none left. */
  next(members: ReadonlySet<number>, tried: readonly Int32Array[]): Int32Array | null {
    const moves = (image: Int32Array): string => [...members].map((member) => image[member]).join()
    const done = new Set(tried.map(moves))
    return (
      this.#all.find((image) => !done.has(moves(image)) && [...members].some((member) => image[member] !== member)) ??
      null
    )
  }
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1)
}

/** Every renaming but the one that changes nothing. */
function all({ sets, firstOf, count }: Names): Int32Array[] {
  const lists = sets.map(({ members }, set) => members.map((_, i) => (firstOf[set] as number) + i))
  const made: Int32Array[] = []
  for (const orders of permutations(lists)) {
    const image = Int32Array.from({ length: count }, (_, member) => member)
    orders.forEach((order, set) => order.forEach((to, i) => (image[(firstOf[set] as number) + i] = to)))
    made.push(image)
  }
  return made.slice(1)
}

function exchanges(names: Names): Int32Array[] {
  return names.sets.flatMap(({ members }, set) =>
    members.flatMap((_, a) => members.slice(a + 1).map((__, i) => exchange(names, set, a, a + 1 + i))),
  )
}

/** The renaming that undoes another. */
export function inverse(image: Int32Array): Int32Array {
  const made = new Int32Array(image.length)
  image.forEach((to, member) => (made[to] = member))
  return made
}
