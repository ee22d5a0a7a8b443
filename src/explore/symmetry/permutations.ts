/** Every combination of orders of some lists: one array a list, in a fixed sequence that begins with the order given. */
export function* permutations(lists: readonly (readonly number[])[]): Generator<readonly (readonly number[])[]> {
  const [first, ...rest] = lists
  if (!first) {
    yield []
    return
  }
  for (const order of orders(first)) for (const others of permutations(rest)) yield [order, ...others]
}

function* orders(list: readonly number[]): Generator<readonly number[]> {
  if (list.length < 2) {
    yield list
    return
  }
  for (let i = 0; i < list.length; i++) {
    const head = list[i] as number
    for (const tail of orders([...list.slice(0, i), ...list.slice(i + 1)])) yield [head, ...tail]
  }
}
