import { access } from 'node:fs/promises'
import { builtinModules, createRequire } from 'node:module'
import { resolve } from 'node:path'
import { Script } from 'node:vm'
import type { Message } from 'esbuild'
import { Refusal } from '../source/refusal.ts'
import * as entry from './index.ts'
import { checkConfig } from './check.ts'

/** Seconds that a configuration may run. */
const PATIENCE = 5
/** Where a script that may be ended finds what it runs. */
const BODY = Symbol.for('vmcheck configuration')

/** File names that are looked for, in this order. */
const NAMES = ['vmcheck.config.ts', 'vmcheck.config.mts', 'vmcheck.config.js', 'vmcheck.config.mjs']

/**
 * The configuration of a folder, empty where it has none.
 *
 * @param path the file to take instead of those looked for
 * @throws Refusal for one that is missing, does not load, or says what it cannot say
 */
export async function loadConfig(cwd: string, path: string | null): Promise<entry.Config> {
  const file = path ?? (await firstOf(cwd))
  if (file === null) return {}
  const absolute = resolve(cwd, file)
  await access(absolute).catch(() => {
    throw new Refusal(`no such file: ${file}`, null)
  })
  return checkConfig(evaluate(await text(absolute, file, cwd), absolute, file), { file, line: 1, column: 1 })
}

async function firstOf(cwd: string): Promise<string | null> {
  for (const name of NAMES)
    if (
      await access(resolve(cwd, name)).then(
        () => true,
        () => false,
      )
    )
      return name
  return null
}

async function text(absolute: string, file: string, cwd: string): Promise<string> {
  const { build } = await import('esbuild')
  try {
    const made = await build({
      entryPoints: [absolute],
      bundle: true,
      write: false,
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      external: ['vmcheck', 'vmcheck/*'],
      logLevel: 'silent',
      absWorkingDir: cwd,
    })
    return made.outputFiles[0]?.text ?? ''
  } catch (error) {
    const [first] = (error as { errors?: Message[] }).errors ?? []
    throw new Refusal(
      first?.text ?? (error as Error).message,
      first?.location
        ? { file, line: first.location.line, column: first.location.column + 1 }
        : { file, line: 1, column: 1 },
    )
  }
}

function evaluate(code: string, absolute: string, file: string): unknown {
  const own = createRequire(absolute)
  const module = { exports: {} as { default?: unknown } }
  const require = (name: string): unknown => {
    if (name === 'vmcheck/config') return entry
    if (name.startsWith('node:') || builtinModules.includes(name)) return own(name)
    throw new Refusal(
      `a configuration cannot import "${name}": it may import vmcheck/config, Node's modules and files of its own`,
      { file, line: 1, column: 1 },
    )
  }
  try {
    const run = new Script(`(function (exports, require, module) {${code}\n})`, {
      filename: file,
    }).runInThisContext() as (exports: object, require: (name: string) => unknown, module: object) => void
    endingIn(PATIENCE, () => run(module.exports, require, module))
  } catch (error) {
    if (error instanceof Refusal) throw error
    if ((error as { code?: string } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new Refusal(`it runs for more than ${PATIENCE} s: does a loop in it never end?`, {
        file,
        line: 1,
        column: 1,
      })
    const said = error instanceof Error ? `${error.name}: ${error.message}` : `throws ${String(error)}`
    throw new Refusal(said.split('\n')[0] as string, { file, line: 1, column: 1 })
  }
  return module.exports.default
}

/**
 * Runs something for some seconds at most.
 * @throws an error with the code ERR_SCRIPT_EXECUTION_TIMEOUT when they are over
 */
function endingIn(seconds: number, body: () => void): void {
  const world = globalThis as unknown as Record<symbol, () => void>
  world[BODY] = body
  try {
    // only a script can be ended, and not a function
    new Script(`globalThis[Symbol.for(${JSON.stringify(BODY.description)})]()`).runInThisContext({
      timeout: seconds * 1000,
    })
  } finally {
    delete world[BODY]
  }
}
