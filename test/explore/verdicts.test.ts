import { readdir } from 'node:fs/promises'
import test from 'ava'
import type { Check } from '../../src/model/check.ts'
import { exploreInline, loadText } from '../harness/inline.ts'
import { exploreFile, exploreText, modelText } from '../harness/run.ts'
import { TWINS, twin } from './twins.ts'

for (const [name, { kind, says, steps, stuck }] of Object.entries(TWINS)) {
  test(`found, and not in its twin: ${name}`, async (t) => {
    const report = await exploreFile(twin(name), { scenario: 'broken' })
    const [violation] = report.violations
    t.is(violation?.kind, kind as never, JSON.stringify(report.violations.map(({ message }) => message)))
    t.regex(violation?.message ?? '', says)
    t.is(violation?.schedule.length, steps)
    t.is(violation?.steps.length, steps)
    if (stuck) t.deepEqual(violation?.stuck, stuck)
    const fixed = await exploreFile(twin(name), { scenario: 'fixed' })
    t.is(fixed.verdict, 'pass', fixed.violations[0]?.message)
    t.true(fixed.exhaustive)
  })
}

test('a check that looks at states at rest sees them, whether the machine has a property at rest or not', async (t) => {
  for (const property of ['', "m.atRest('x is one', () => x.v === 1)"]) {
    const seen: boolean[] = []
    const ended: Check = {
      name: 'ended',
      about: 'every thread has ended',
      occasions: ['rest'],
      state: (state) => {
        seen.push(state.actors.every((actor) => state.isFinished(actor)))
        return []
      },
    }
    const text = modelText(`m.thread(function* a() { yield* when(() => true, () => { x.v = 1 }) }); ${property}`)
    exploreInline(await loadText(text), 'step', [ended])
    t.deepEqual(seen, [true], property)
  }
})

test('every twin is in the table', async (t) => {
  const files = (await readdir('test/models/twins')).map((file) => file.replace(/\.ts$/, ''))
  t.deepEqual(files.toSorted(), Object.keys(TWINS).toSorted())
})

test('code that runs while a step is refused gives no verdict of its own', async (t) => {
  const text = modelText(
    'const s = m.struct(struct("s", { v: volatile(u2) }), "s"); const forever = () => { for (;;) s.v = 1 }; m.thread(function* d() { for (;;) { let ok = false; try { forever(); ok = true } finally { m.assert(ok, "done") } } })',
  )
  await t.throwsAsync(exploreText(text), { message: /1000 shared accesses in a plain function/ })
})
