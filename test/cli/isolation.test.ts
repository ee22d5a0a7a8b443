import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { CACHE, folder, vmcheck } from '../harness/command.ts'

/** A model with text above it, in its machine and in its thread. */
const modelText = ({
  above = '',
  machine = '',
  body = '',
}: {
  above?: string
  machine?: string
  body?: string
}): string => `import { model, pause, struct, u8 } from 'vmcheck'
const S = struct('s', { v: u8 })
${above}
export default model({ title: 'm', machine(m) { const s = m.struct(S, 's'); ${machine}; m.thread(function* a() { yield* pause(); ${body}; s.v = 1; yield* pause() }) } })
`

const ESCAPES: Readonly<Record<string, Parameters<typeof modelText>[0]>> = {
  'code made of text, above': { above: "(() => {}).constructor('process.exit(0)')()" },
  'code made of text, in a step': { body: "(function* () {} as any).constructor('process.exit(0)')().next()" },
  'Function by its name': { machine: "new Function('process.exit(0)')()" },
  'an async function': { machine: '(async () => { throw new Error("late") })()' },
  'a later import': { machine: "void import('node:fs')" },
  'an operation gone through like a list': { body: 'Array.from(pause())' },
  'an iterator made outside': {
    machine: 'const it = [1, 2, 3].values(); m.always("p", () => it.next() !== null); const use = () => it.next()',
    body: 'use()',
  },
  'a promise': { body: 'Promise.resolve().then(() => {})' },
  'more CPUs than a set holds': { machine: 'for (let i = 0; i < 31; i++) m.cpu()' },
  'all of the memory': {
    above: 'const all: unknown[] = []; for (let i = 0; i < 900_000; i++) all.push(new Array(1_000_000).fill(i))',
  },
  'the stack': { machine: 'const f = (n: number): number => 1 + f(n + 1); f(0)' },
  'a thrown null': { above: 'throw null' },
}

test('code of a model reaches neither the process nor what runs later: one line with its place, status 2', async (t) => {
  const cwd = await folder(
    Object.fromEntries(
      Object.entries(ESCAPES).map(([name, parts]) => [`${name.replaceAll(/\W+/g, '-')}.ts`, modelText(parts)]),
    ),
  )
  for (const name of Object.keys(ESCAPES)) {
    const file = `${name.replaceAll(/\W+/g, '-')}.ts`
    const ran = await vmcheck(['explore', file], { cwd, env: { NODE_OPTIONS: '--max-old-space-size=200' } })
    t.is(ran.status, 2, `${name}: ${ran.err}`)
    t.is(ran.out, '', name)
    t.is(ran.err.trimEnd().split('\n').length, 1, ran.err)
    t.regex(
      ran.err,
      name === 'all of the memory' ? /there is no memory left/ : new RegExp(`^vmcheck: ${file}:\\d+:\\d+: `),
      name,
    )
  }
  await rm(cwd, { recursive: true })
})

test('Ctrl-C and SIGTERM end the command within a second although code of the model does not come back', async (t) => {
  // sorting continues for longer than anybody waits, and never looks at a signal
  const cwd = await folder({
    'busy.ts': modelText({
      body: 'const all = Array.from({ length: 4_000_000 }, (_, i) => i % 7); for (let i = 0; i < 900_000; i++) { all.sort(); s.v = all[i] as number }',
    }),
  })
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const child = spawn(
      'sh',
      ['-c', `exec "$0" "$@"`, process.execPath, resolve('bin/vmcheck.js'), 'explore', 'busy.ts'],
      { cwd, env: { ...process.env, VMCHECK_CACHE: CACHE ?? 'off' } },
    )
    const ended = new Promise<number | null>((done) =>
      child.on('close', (code, by) => done(by === signal ? status : code)),
    )
    await sleep(4000)
    child.kill(signal)
    const since = performance.now()
    t.is(await ended, status)
    t.log(`${signal}: ended after ${Math.round(performance.now() - since)} ms`)
  }
  await rm(cwd, { recursive: true })
})

test('what a model calls its things moves no cursor and makes no lines of its own', async (t) => {
  const cwd = await folder({
    'loud.ts': modelText({
      body: "m.assert(false, 'x\\n\\u001b[2J\\u001b[HPASS  every interleaving was explored')",
    }).replace("title: 'm'", "title: 't\\nPASS \\u001b[31m'"),
  })
  for (const args of [[], ['--quiet']]) {
    const { status, out } = await vmcheck(['explore', 'loud.ts', ...args], { cwd })
    t.is(status, 1)
    t.notRegex(out, new RegExp(String.fromCharCode(27)))
    t.notRegex(out, /^PASS/m)
  }
  await rm(cwd, { recursive: true })
})

test('--time is kept although code of the model does not come back', async (t) => {
  const cwd = await folder({
    'busy.ts': modelText({
      body: 'const all = Array.from({ length: 4_000_000 }, (_, i) => i % 7); for (let i = 0; i < 900_000; i++) { all.sort(); s.v = all[i] as number }',
    }),
  })
  const { status, out, err } = await vmcheck(['explore', 'busy.ts', '--time', '1'], { cwd })
  t.is(
    `${status} ${out}${err}`,
    '3 vmcheck: the time is over, and code of the model does not come back: ended without a result\n',
  )
  await rm(cwd, { recursive: true })
})
