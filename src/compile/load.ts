import { Script } from 'node:vm'
import * as authoring from '../model/index.ts'
import { type Model, ModelError, isModel } from '../model/model.ts'
import { ParameterError } from '../model/parameters.ts'
import { cleaned } from '../model/texts.ts'
import type { Bundle } from './bundle.ts'
import { type Printer, confinement, withoutCodeFromText, withoutLastMatch } from './outside.ts'
import { Refusal, type SourcePlace } from './refusal.ts'
import { Runtime } from './runtime.ts'
import { SourceMap } from './source-map.ts'

/** A model ready to build machines from. */
export interface LoadedModel {
  readonly model: Model
  readonly runtime: Runtime
  readonly bundle: Bundle
  readonly sourceMap: SourceMap
}

/** Frames that stack traces keep, on every thread alike: places in the model are read off them, below the frames of the engine. */
const STACK_FRAMES = 100

/**
 * Evaluates a bundle. Every call makes a world of its own: nothing is shared with another load.
 *
 * @param print takes what the model prints; standard error unless given
 * @throws Refusal when the file throws, has no default export, or exports something that is no model
 */
export function load(bundle: Bundle, print: Printer = printError): LoadedModel {
  Error.stackTraceLimit = Math.max(Error.stackTraceLimit, STACK_FRAMES)
  withoutCodeFromText()
  withoutLastMatch()
  if (bundle.form === 'lowered') refuseLists()
  const runtime = new Runtime()
  const sourceMap = new SourceMap(bundle)
  const confined = confinement(print)
  const module = { exports: {} as { default?: unknown } }
  try {
    const script = new Script(`(function (exports, require, module, __vmcheck, ${Object.keys(confined).join(', ')}) {${bundle.code}\n})`, { filename: sourceMap.filename })
    const run = script.runInThisContext() as (...given: unknown[]) => void
    run(module.exports, requireFor(bundle), module, runtime, ...Object.values(confined))
  } catch (error) {
    throw setupRefusal(error, sourceMap, bundle.file)
  }
  const model = module.exports.default
  if (model === undefined) throw new Refusal('no default export: end the file with export default model({ ... })', place(bundle.file))
  if (!isModel(model)) throw new Refusal('the default export is not a model: write export default model({ ... })', place(bundle.file))
  return { model, runtime, bundle, sourceMap }
}

/** The refusal for an exception thrown while a model's file or its `machine()` ran. */
export function setupRefusal(error: unknown, sourceMap: SourceMap, file: string): Refusal {
  if (error instanceof Refusal) return error.at ? error : new Refusal(error.message, sourceMap.placeOf(error) ?? place(file))
  const at = sourceMap.placeOf(error) ?? place(file)
  const { name, message } = error instanceof Error ? error : { name: 'thrown', message: String(error) }
  const said = error instanceof ModelError || error instanceof ParameterError ? message : `${name}: ${message}`
  return new Refusal(said.split('\n')[0] as string, at)
}

/** Standard output is for results. */
function printError(text: string): void {
  process.stderr.write(`${cleaned(text)}\n`)
}

function place(file: string): SourcePlace {
  return { file, line: 1, column: 1 }
}

function requireFor(bundle: Bundle): (name: string) => unknown {
  return (name) => {
    if (name === 'vmcheck') return authoring
    throw new Refusal(`a model cannot import "${name}": it may import vmcheck, vmcheck/vm and files of its own`, place(bundle.file))
  }
}

/**
 * Lowered code executes an operation without going through it as JavaScript would: who does, as `[...lock.acquire()]`, has
 * not executed it. On the threads of live CPUs, which run the code as it is written, `yield*` goes through it.
 */
function refuseLists(): void {
  const { prototype } = authoring.Operation
  if (prototype[Symbol.iterator].name === refuseList.name) return
  Object.defineProperty(prototype, Symbol.iterator, { value: refuseList, configurable: true })
}

function refuseList(): never {
  throw new Refusal('an operation is gone through like a list, which does not execute it: write yield* before it', null)
}
