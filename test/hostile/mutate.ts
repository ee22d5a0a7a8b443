// Changes to texts and values as typing, merging, copying and ill will make them.
import type { RandomSource } from '../../src/semantics/random-source.ts'

const NUMBERS = [
  '0',
  '-1',
  '1',
  '2',
  '7',
  '1e9',
  '2**53',
  'NaN',
  '-0',
  '0.5',
  '1e308',
  '4294967296',
  "'1'",
  'null',
  'undefined',
  '[]',
  '{}',
  '1n',
]
/** Pieces that do harm where code stands. */
const STATEMENTS = [
  'for (;;);',
  'throw null;',
  "throw new Error('\\u001b[31m\\u202e');",
  'yield* pause();',
  'return;',
  'break;',
  "console.log('\\u001b]0;x\\u0007');",
  'let u = u;',
  'const f = () => f(); f();',
  'void Reflect.ownKeys(m).map((k) => (m as any)[k]?.());',
  'Object.prototype.toString = null as any;',
  'Array.prototype.push = () => 0;',
  'm.thread(function* () {});',
  'm.cpus(99, () => function* () {});',
  'm.assert(false);',
  "m.always('', () => { throw 1 });",
  'Symbol.iterator in m;',
  'new Proxy(m, {}).cpus(1);',
  'process.exit(0);',
  'setTimeout(() => {}, 1e9);',
  "''.repeat(-1);",
  'new Array(2 ** 31);',
  'while (true) { yield* pause() }',
  'debugger;',
]
const BYTES = [
  '\0',
  '\uFEFF',
  '\u202E',
  '\u001B[2J',
  '\r\n',
  '\uD800',
  '`',
  '${',
  '/*',
  '"',
  "'",
  '\\',
  '<script>',
  '\u2028',
  '}',
  '{',
  ')',
  '=>',
  '*',
]

/** One of a list that is not empty. */
export function oneOf<T>(random: RandomSource, list: readonly T[]): T {
  return list[random.below(list.length)] as T
}

/** A text of a program, changed in one to three places. */
export function mutateCode(text: string, random: RandomSource): string {
  let changed = text
  for (let i = random.below(3); i >= 0; i--) changed = mutateOnce(changed, random)
  return changed
}

function mutateOnce(text: string, random: RandomSource): string {
  const lines = text.split('\n')
  const at = random.below(lines.length)
  const line = lines[at] as string
  switch (random.below(16)) {
    case 10:
    case 11:
      return lines.toSpliced(at, 2, ...lines.slice(at, at + 2).toReversed()).join('\n')
    case 12:
    case 13:
      return replaceOne(
        text,
        /yield\* [\w.]+\([^()]*\);?/g,
        () => oneOf(random, text.match(/yield\* [\w.]+\([^()]*\)/g) ?? ['yield* pause()']),
        random,
      )
    case 14:
      return replaceOne(text, /\b\d\b/g, () => oneOf(random, ['0', '1', '2', '3']), random)
    case 15:
      return replaceOne(text, /(?<=if \(|while \()/g, () => '!', random)
    case 0:
      return lines.toSpliced(at, 1).join('\n')
    case 1:
      return lines.toSpliced(at, 0, line).join('\n')
    case 2:
      return lines.toSpliced(at, 1, lines[random.below(lines.length)] as string).join('\n')
    case 3:
      return replaceOne(text, /\b\d+\b/g, () => oneOf(random, NUMBERS), random)
    case 4:
      return replaceOne(text, /\b[a-zA-Z]\w*\b/g, () => oneOf(random, text.match(/\b[a-zA-Z]\w*\b/g) ?? ['x']), random)
    case 5:
      return lines.toSpliced(at + 1, 0, oneOf(random, STATEMENTS)).join('\n')
    case 6:
      return replaceOne(text, /yield\* /g, () => oneOf(random, ['', 'yield ', 'await ', 'yield* yield* ']), random)
    case 7:
      return replaceOne(
        text,
        /[<>=!]=+|[-+*/%&|<>]|=>/g,
        () => oneOf(random, ['+', '-', '<', '>=', '===', '!==', '&&', '||', '=', '**', '%']),
        random,
      )
    case 8:
      return text.slice(0, random.below(text.length + 1))
    default:
      return insert(text, oneOf(random, BYTES), random)
  }
}

/** Bytes of a file, changed as a disk or an editor would. */
export function mutateText(text: string, random: RandomSource): string {
  switch (random.below(5)) {
    case 0:
      return text.slice(0, random.below(text.length + 1))
    case 1:
      return insert(text, oneOf(random, [...BYTES, ...NUMBERS]), random)
    case 2:
      return replaceOne(text, /-?\d+/g, () => oneOf(random, NUMBERS), random)
    case 3:
      return replaceOne(
        text,
        /"[^"\n]*"/g,
        () => oneOf(random, ['""', '"\\u001b[31m"', '"../../../etc/passwd"', '"__proto__"', '"x"', 'null', '[]', '1']),
        random,
      )
    default: {
      const from = random.below(text.length + 1)
      return text.slice(0, from) + text.slice(from + random.below(40))
    }
  }
}

const VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  1e12,
  2 ** 53,
  '',
  'x',
  '\u001B[31m\u202E',
  '__proto__',
  [],
  {},
  [[]],
  { at: null },
]

/** A value of JSON with one place in it changed, left out or put twice; text that is still JSON. */
export function mutateJson(text: string, random: RandomSource): string {
  const root = JSON.parse(text) as unknown
  let at = root
  for (;;) {
    if (typeof at !== 'object' || at === null) return mutateText(text, random)
    const holder = at as Record<string, unknown>
    const keys = Object.keys(holder)
    if (keys.length === 0) return mutateText(text, random)
    const key = oneOf(random, keys)
    const value = holder[key]
    if (typeof value === 'object' && value !== null && random.below(4) > 0) {
      at = value
      continue
    }
    if (random.below(4) === 0) delete holder[key]
    else if (Array.isArray(value) && random.below(2) === 0)
      holder[key] = [...(value as unknown[]), ...(value as unknown[])]
    else holder[key] = oneOf(random, VALUES)
    return JSON.stringify(root, null, 2)
  }
}

function insert(text: string, what: string, random: RandomSource): string {
  const at = random.below(text.length + 1)
  return text.slice(0, at) + what + text.slice(at)
}

function replaceOne(text: string, pattern: RegExp, by: () => string, random: RandomSource): string {
  const found = [...text.matchAll(pattern)]
  if (found.length === 0) return insert(text, by(), random)
  const one = oneOf(random, found)
  return text.slice(0, one.index) + by() + text.slice((one.index as number) + one[0].length)
}
