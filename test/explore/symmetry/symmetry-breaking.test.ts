// Programs that may tell their CPUs apart, in all the ways that a model can: the default search says what the unreduced one says.
import test from 'ava'
import fc, { type Arbitrary } from 'fast-check'
import { Refusal } from '../../../src/source/refusal.ts'
import { exploreText, modelText } from '../../harness/run.ts'

const one = (...texts: string[]): Arbitrary<string> => fc.constantFrom(...texts)

/** Steps of a program: most treat CPUs alike, some do not. */
const STEP = fc.oneof(
  {
    weight: 3,
    arbitrary: one(
      'yield* when(() => s.gate < 2, () => { s.gate++; s.who |= 1 << m.self.id })',
      'yield* atomically(() => { s.last = m.self })',
      'yield* atomically(() => { s.n = (s.n + 1) % 4 })',
      'yield* lock.acquire(); x.v = (x.v + 1) % 4; yield* lock.release()',
      'mine = yield* atomically(() => s.last === m.self)',
      'yield* pause()',
      'yield* atomically(() => { own.of(m.self).k = s.n })',
      'yield* atomically(() => { s.who = 0; s.gate = 0 })',
    ),
  },
  one(
    'got = yield* atomically(() => m.actors.find((a) => (s.who >> a.id) & 1) ?? null)',
    'got = yield* atomically(() => all.find((a) => own.of(a).k > 1) ?? null)',
    'yield* atomically(() => { s.n = (s.n + m.self.id) % 4 })',
    'if (all.indexOf(m.self) === 1) yield* pause()',
    'mine = m.self.name.endsWith("2")',
    'yield* atomically(() => { s.n = all.filter((a) => own.of(a).k > 0).length })',
    'mine = yield* atomically(() => all.some((a) => own.of(a).k === 3))',
    'if (m.self.cpu === all[0].cpu) yield* pause()',
    'const other = m.pick(all.filter((a) => a !== m.self), "other"); yield* atomically(() => { s.last = other })',
  ),
  {
    weight: 2,
    arbitrary: one(
      'm.assert(got !== m.self, "not the first")',
      'm.assert(m.self.id !== 1 || s0 < 2, "never the second")',
      'm.assert(!mine, "not mine")',
      'yield* atomically(() => m.assert(s.n !== 3, "never 3"))',
      'yield* atomically(() => m.assert(s.last !== all[2], "never the third"))',
    ),
  },
)

const PROPERTY = one(
  '',
  'm.always("p", () => s.n !== 3)',
  'm.always("p", () => s.last === null || s.last.id !== 1)',
  'm.always("p", () => all.every((a) => own.of(a).k < 3))',
  'm.atRest("p", () => all.some((a) => own.of(a).k === s.n))',
  'm.always("p", () => (s.who & 2) === 0 || s.gate < 2)',
)

const OUTSIDE = `import { actors, setOf } from 'vmcheck'
const Shared = struct<any>('s', { gate: u2, n: u2, who: setOf(actors), last: ref(actors) })
const Own = struct<any>('own', { k: u2 })`

function textOf(steps: readonly string[], property: string, count: number): string {
  const body = steps.map((step) => `{ ${step} }`.replace(/^\{ (const other)/, '{ $1')).join('\n')
  return modelText(
    `const s = m.struct(Shared, 's'); const own = m.perActor(Own, 'own'); const all: any = m.actors; ${property}
m.cpus(${count}, () => function* program() { let got: any = null, mine = false; const s0: any = 1; void [got, mine, s0, all];
${body}
})`,
    OUTSIDE,
  )
}

async function verdictOf(
  text: string,
  reduce: 'none' | 'symmetry' | 'all',
  granularity: 'step' | 'access',
): Promise<string> {
  try {
    const { verdict, violations } = await exploreText(text, {
      reduce,
      granularity,
      limits: { maxStates: 20_000, maxDepth: Infinity, time: Infinity, memory: 4e9 },
    })
    return violations[0]
      ? `${violations[0].kind} ${violations[0].property} after ${violations[0].schedule.length}`
      : verdict
  } catch (error) {
    if (error instanceof Refusal) return 'refused'
    throw error
  }
}

test('programs that break symmetry are judged as without it', async (t) => {
  const counts = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(
      fc.array(STEP, { minLength: 1, maxLength: 4 }),
      PROPERTY,
      fc.integer({ min: 2, max: 3 }),
      one('step', 'access'),
      async (steps, property, count, granularity) => {
        const text = textOf(steps, property, count)
        const plain = await verdictOf(text, 'none', granularity as 'step')
        if (plain === 'inconclusive') return
        counts.set(plain.split(' ')[0] as string, (counts.get(plain.split(' ')[0] as string) ?? 0) + 1)
        for (const reduce of ['symmetry', 'all'] as const) {
          const reduced = await verdictOf(text, reduce, granularity as 'step')
          // partial order may come to another violation first
          const isSame = reduce === 'all' ? (reduced === 'pass') === (plain === 'pass') : reduced === plain
          if (!isSame) throw new Error(`${reduce}: ${reduced}, unreduced: ${plain}\n${text}`)
        }
      },
    ),
    { numRuns: Number(process.env['VMCHECK_PROGRAMS'] ?? 40), seed: Number(process.env['VMCHECK_SEED'] ?? 3) },
  )
  t.log(JSON.stringify(Object.fromEntries(counts)))
  t.true((counts.get('pass') ?? 0) > 0 && (counts.get('assertion') ?? 0) > 0)
})
