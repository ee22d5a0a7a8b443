import test from 'ava'
import { exploreText, modelText } from './run.ts'
import { TWINS } from './twins.ts'

for (const [name, { broken, fixed, kind, says, steps, stuck, outside }] of Object.entries(TWINS)) {
  test(`found, and not in its twin: ${name}`, async (t) => {
    const report = await exploreText(modelText(broken, outside))
    const [violation] = report.violations
    t.is(violation?.kind, kind as never, JSON.stringify(report.violations.map(({ message }) => message)))
    t.regex(violation?.message ?? '', says)
    t.is(violation?.schedule.length, steps)
    t.is(violation?.steps.length, steps)
    if (stuck) t.deepEqual(violation?.stuck, stuck)
    const twin = await exploreText(modelText(fixed, outside))
    t.is(twin.verdict, 'pass', twin.violations[0]?.message)
    t.true(twin.exhaustive)
  })
}

test('code that runs while a step is refused gives no verdict of its own', async (t) => {
  const text = modelText(
    'const s = m.struct(struct("s", { v: volatile(u2) }), "s"); m.thread(function* d() { for (;;) { let ok = false; try { s.v = 1; ok = true } finally { m.assert(ok, "done") } } })',
  )
  await t.throwsAsync(exploreText(text), { message: /1000 shared accesses without a yield\*/ })
})
