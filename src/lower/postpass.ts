import { type NodePath, traverse, types as t } from '@babel/core'
import { UnknownShapeError, liveness } from './liveness.ts'
import { type Lowering, RUNTIME, THIS } from './lowering.ts'
import { capturesThunk } from './prepass.ts'

/**
 * The post-pass: gives every function that regenerator lowered an accessor for its variables and the table of what
 * is live at each label, and registers it with the runtime.
 */
export function postpass(ast: t.File, lowering: Lowering): void {
  traverse.cache.clear()
  traverse(ast, {
    CallExpression: {
      exit(path) {
        const { callee, arguments: args } = path.node
        if (isRuntime(callee, 'regeneratorValues')) {
          path.replaceWith(args[0] as t.Expression)
          return
        }
        if (
          callee.type !== 'MemberExpression' ||
          callee.object.type !== 'CallExpression' ||
          !isRuntime(callee.object.callee, 'regenerator')
        )
          return
        const member = (callee.property as t.Identifier).name
        if (member === 'w') rewriteActivation(path, lowering)
        else if (member === 'm') rewriteDefinition(path, lowering)
      },
    },
  })
}

function isRuntime(node: t.Node, member: string): boolean {
  return (
    node.type === 'MemberExpression' &&
    node.object.type === 'Identifier' &&
    node.object.name === RUNTIME &&
    node.property.type === 'Identifier' &&
    node.property.name === member
  )
}

/** `regenerator().w(body, fn, self, tries)` becomes `activation(fn, body, tries, get, set, live)`. */
function rewriteActivation(path: NodePath<t.CallExpression>, lowering: Lowering): void {
  const [body, fn, , table] = path.node.arguments
  const owner = path.getFunctionParent() as NodePath<t.FunctionDeclaration | t.FunctionExpression>
  const slots = variablesOf(owner)
  const tries = ((table as t.ArrayExpression | undefined)?.elements ?? []).map((row) =>
    (row as t.ArrayExpression).elements.map((cell) => {
      if (cell && cell.type !== 'NumericLiteral')
        throw lowering.refuse(
          owner.node,
          'the lowered code has a form that is not understood (a try table): write the function otherwise',
        )
      return cell?.value
    }),
  )
  const bodyPath = path.get('arguments')[0] as NodePath<t.FunctionExpression>
  const context = ((body as t.FunctionExpression).params[0] as t.Identifier).name
  const cases: NodePath<t.SwitchCase>[] = []
  bodyPath.get('body').traverse({
    Function: (inner) => inner.skip(),
    SwitchStatement(inner) {
      cases.push(...inner.get('cases'))
      inner.skip()
    },
  })
  const live = liveAt(cases, context, new Set(slots), owner, tries, lowering)
  const liveRows = [...live].map(([label, names]) =>
    t.objectProperty(
      t.numericLiteral(label),
      t.arrayExpression(slots.flatMap((slot, i) => (names.has(slot) ? [t.numericLiteral(i)] : []))),
    ),
  )
  const values = t.identifier('__vmcheck_values')
  const get = t.arrowFunctionExpression([], t.arrayExpression(slots.map((slot) => t.identifier(slot))))
  const set = t.arrowFunctionExpression(
    [values],
    t.blockStatement(
      slots.map((slot, i) =>
        t.expressionStatement(
          t.assignmentExpression('=', t.identifier(slot), t.memberExpression(values, t.numericLiteral(i), true)),
        ),
      ),
    ),
  )
  const info = t.objectExpression([
    t.objectProperty(t.identifier('name'), t.stringLiteral(kernelName(owner, lowering))),
    t.objectProperty(t.identifier('site'), lowering.site(owner.node, 'place')),
    t.objectProperty(
      t.identifier('slots'),
      t.arrayExpression(slots.map((slot) => t.stringLiteral(slot === THIS ? 'this' : slot.replace(/\$\d+$/, '')))),
    ),
    t.objectProperty(t.identifier('live'), t.objectExpression(liveRows)),
  ])
  path.replaceWith(
    t.callExpression(lowering.runtime('activation'), [
      fn as t.Expression,
      body as t.Expression,
      (table as t.Expression | undefined) ?? t.arrayExpression([]),
      get,
      set,
      info,
    ]),
  )
  path.skip()
}

/** What is live at each label; code of an unknown form is refused with the place of its function. */
function liveAt(
  cases: readonly NodePath<t.SwitchCase>[],
  context: string,
  slots: ReadonlySet<string>,
  owner: NodePath<t.Function>,
  tries: Parameters<typeof liveness>[4],
  lowering: Lowering,
): Map<number, Set<string>> {
  try {
    return liveness(cases, context, slots, owner.scope, tries)
  } catch (error) {
    if (error instanceof UnknownShapeError) throw lowering.refuse(owner.node, error.message)
    throw error
  }
}

function variablesOf(owner: NodePath<t.FunctionDeclaration | t.FunctionExpression>): string[] {
  const names: string[] = []
  for (const param of owner.node.params) names.push(...Object.keys(t.getBindingIdentifiers(param)))
  for (const statement of owner.node.body.body) {
    if (statement.type !== 'VariableDeclaration') continue
    for (const { id } of statement.declarations) names.push(...Object.keys(t.getBindingIdentifiers(id)))
  }
  return [...new Set(names)]
}

function kernelName(owner: NodePath<t.FunctionDeclaration | t.FunctionExpression>, lowering: Lowering): string {
  const made = owner.node.id?.name.replace(/\$generator$/, '') ?? ''
  // a function without a name is given one by the transformation
  return lowering.names.get(owner.node) ?? (/^(_callee\d*)?$/.test(made) ? 'program' : made)
}

/** `regenerator().m(fn)` becomes `define(fn, name, captures)`: the bundler may call a function otherwise than its author does. */
function rewriteDefinition(path: NodePath<t.CallExpression>, lowering: Lowering): void {
  const fn = path.get('arguments')[0] as NodePath
  const declared = fn.isIdentifier() ? path.scope.getBinding(fn.node.name)?.path : fn
  const thunk = declared ? capturesThunk(declared) : null
  const name =
    declared?.isFunctionDeclaration() || declared?.isFunctionExpression() ? kernelName(declared, lowering) : 'program'
  const known = [fn.node as t.Expression, t.stringLiteral(name)]
  path.replaceWith(t.callExpression(lowering.runtime('define'), thunk ? [...known, thunk] : known))
  path.skip()
}
