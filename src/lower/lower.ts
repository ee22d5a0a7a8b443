import { parseSync, transformFromAstSync, types as t } from '@babel/core'
import type { PluginObj } from '@babel/core'
import regenerator from '@babel/plugin-transform-regenerator'
import typescript from '@babel/plugin-transform-typescript'
import { postpass } from './postpass.ts'
import { orderExpressions } from './order.ts'
import { Lowering, RUNTIME, SITES } from './lowering.ts'
import { prepass } from './prepass.ts'
import { Refusal } from '../source/refusal.ts'

/** Regenerator's helpers come from the runtime instead of being written into every file. */
const ownHelpers: PluginObj = {
  name: 'vmcheck-helpers',
  visitor: {},
  pre(file) {
    ;(file as unknown as { set(key: string, value: unknown): void }).set('helperGenerator', (name: string) =>
      t.memberExpression(t.identifier(RUNTIME), t.identifier(name)),
    )
  },
}

/**
 * Lowers one file: TypeScript or JavaScript in, JavaScript out in which every generator function is a resumable
 * activation (its variables accessible, its labels known), with an inline source map.
 *
 * @param file path as messages show it
 * @param counted whether branches are counted for coverage (a user's file)
 * @throws Refusal for syntax errors and for what cannot be stored at a point, with its place
 */
export function lower(source: string, file: string, counted: boolean): string {
  const options = { filename: file, configFile: false, babelrc: false, compact: false, cloneInputAst: false } as const
  const ast = parse(source, file)
  const lowering = new Lowering(file, counted)
  const stripped = transformFromAstSync(ast, source, {
    ...options,
    ast: true,
    code: false,
    plugins: [[typescript, { allowDeclareFields: true }]],
  })?.ast as t.File
  try {
    prepass(stripped, lowering)
    orderExpressions(stripped, lowering)
    const resumable = transformFromAstSync(stripped, source, {
      ...options,
      ast: true,
      code: false,
      plugins: [ownHelpers, [regenerator, { async: false, asyncGenerators: false }]],
    })?.ast as t.File
    postpass(resumable, lowering)
    registerSites(resumable, lowering)
    return transformFromAstSync(resumable, source, { ...options, sourceMaps: 'inline', plugins: [] })?.code ?? ''
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal(`cannot be lowered: ${firstLine(error)}`, { file, line: 1, column: 1 })
  }
}

function parse(source: string, file: string): t.File {
  try {
    return parseSync(source, {
      filename: file,
      configFile: false,
      babelrc: false,
      sourceType: 'module',
      parserOpts: { plugins: ['typescript', 'explicitResourceManagement'] },
    }) as t.File
  } catch (error) {
    const { loc } = error as { loc?: { line: number; column: number } }
    throw new Refusal(
      firstLine(error)
        .replace(/^.*?: /, '')
        .replace(/ \(\d+:\d+\)$/, ''),
      loc ? { file, line: loc.line, column: loc.column + 1 } : { file, line: 1, column: 1 },
    )
  }
}

function firstLine(error: unknown): string {
  return String((error as Error).message).split('\n')[0] as string
}

function registerSites(ast: t.File, lowering: Lowering): void {
  const rows = lowering.table.sites.map(([line, column, kind]) =>
    t.arrayExpression([t.numericLiteral(line), t.numericLiteral(column), t.stringLiteral(kind)]),
  )
  const call = t.callExpression(lowering.runtime('file'), [
    t.stringLiteral(lowering.file),
    t.booleanLiteral(lowering.counted),
    t.arrayExpression(rows),
  ])
  ast.program.body.unshift(t.variableDeclaration('const', [t.variableDeclarator(t.identifier(SITES), call)]))
}
