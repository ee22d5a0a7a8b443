import { Script } from 'node:vm'
import * as authoring from '../index.ts'
import { type Model, ModelError, isModel } from '../model/model.ts'
import { ParameterError } from '../model/parameters.ts'
import { cleaned } from '../source/texts.ts'
import { isKind, wording, wordsOf } from '../source/thrown.ts'
import type { Bundle } from '../bundle/bundle.ts'
import { areIntrinsicsClosed, closeIntrinsics } from './intrinsics.ts'
import { type Printer, confinement, withoutCodeFromText, withoutLastMatch } from '../source/outside.ts'
import { Refusal, type SourcePlace } from '../source/refusal.ts'
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
  closeThread()
  if (bundle.form === 'lowered') refuseLists()
  const runtime = new Runtime()
  const sourceMap = new SourceMap(bundle)
  const confined = confinement(print)
  const module = { exports: {} as { default?: unknown } }
  try {
    // two functions, in one line: a model may have names of its own for what is confined
    const script = new Script(
      `(function (${Object.keys(confined).join(', ')}) { return function (exports, require, module, __vmcheck) {${bundle.code}\n}})`,
      { filename: sourceMap.filename },
    )
    const confine = script.runInThisContext() as (...given: unknown[]) => (...given: unknown[]) => void
    confine(...Object.values(confined))(module.exports, requireFor(bundle, runtime), module, runtime)
  } catch (error) {
    throw setupRefusal(error, sourceMap, bundle.file)
  }
  Object.freeze(module)
  const model = module.exports.default
  if (model === undefined)
    throw new Refusal('no default export: end the file with export default model({ ... })', place(bundle.file))
  if (!isModel(model))
    throw new Refusal('the default export is not a model: write export default model({ ... })', place(bundle.file))
  return { model, runtime, bundle, sourceMap }
}

/** The refusal for an exception thrown while a model's file or its `machine()` ran. */
export function setupRefusal(error: unknown, sourceMap: SourceMap, file: string): Refusal {
  if (isKind(error, Refusal))
    return error.at ? error : new Refusal(error.message, sourceMap.placeOf(error) ?? place(file))
  const at = sourceMap.placeOf(error) ?? place(file)
  const said = isKind(error, ModelError) || isKind(error, ParameterError) ? wordsOf(error).message : wording(error)
  return new Refusal(said.split('\n')[0] as string, at)
}

/** What models must not change, or reach, is closed once on every thread that loads one. */
function closeThread(): void {
  if (areIntrinsicsClosed()) return
  withoutCodeFromText()
  withoutLastMatch()
  closeIntrinsics()
}

/** Standard output is for results. */
function printError(text: string): void {
  process.stderr.write(`${cleaned(text)}\n`)
}

function place(file: string): SourcePlace {
  return { file, line: 1, column: 1 }
}

function requireFor(bundle: Bundle, runtime: Runtime): (name: string) => unknown {
  const entry = bundle.form === 'lowered' ? askingOf(runtime) : authoring
  return (name) => {
    if (name === 'vmcheck') return entry
    throw new Refusal(
      `a model cannot import "${name}": it may import vmcheck, vmcheck/vm and files of its own`,
      place(bundle.file),
    )
  }
}

/** The public entry, whose operations the runtime hears of when they are made: none may be forgotten. */
function askingOf(runtime: Runtime): typeof authoring {
  const asking =
    <G extends readonly unknown[], T extends authoring.Operation<unknown>>(make: (...given: G) => T) =>
    (...given: G): T =>
      runtime.asks(make(...given))
  class Operation<R> extends authoring.Operation<R> {
    constructor(...given: ConstructorParameters<typeof authoring.Operation>) {
      super(...given)
      runtime.asks(this)
    }
  }
  const { when, atomically, readOnce, pause } = authoring
  return {
    ...authoring,
    Operation,
    when: asking(when) as typeof when,
    atomically: asking(atomically) as typeof atomically,
    readOnce: asking(readOnce) as typeof readOnce,
    pause: asking(pause),
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
