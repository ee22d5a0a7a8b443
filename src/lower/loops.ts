import { type NodePath, types as t } from '@babel/core'
import { type GeneratorPath, containsLeap, containsOperation, own } from './levels.ts'
import type { Lowering } from './lowering.ts'

/** Methods of arrays that give iterators over them. */
const VIEWS: readonly string[] = ['keys', 'values', 'entries']

/**
 * for-of and for-in loops that hold a point, or that control leaves early, become plain loops over a {@link Walk} of the
 * runtime: regenerator knows neither. The others stay as they are.
 */
export function lowerIterations(path: GeneratorPath, lowering: Lowering): void {
  own(path, {
    'ForOfStatement|ForInStatement': {
      exit(inner: NodePath) {
        const loop = inner as NodePath<t.ForOfStatement | t.ForInStatement>
        if (loop.node.type === 'ForOfStatement' && loop.node.await)
          throw lowering.refuse(loop.node, '"for await" in a program: the simulated machine has no promises')
        if (containsLeap(loop.get('body')) || headHasPoint(loop)) lowerIteration(path, loop, lowering)
      },
    },
  } as never)
  path.scope.crawl()
}

function headHasPoint(loop: NodePath<t.ForOfStatement | t.ForInStatement>): boolean {
  return [loop.get('left'), loop.get('right')].some(
    (part) => part.isYieldExpression() || containsLeap(part as NodePath),
  )
}

/** `for (HEAD of LIST) BODY` becomes `for (walk = walk(LIST); walk.step(); ) { HEAD = walk.value; BODY }`. */
function lowerIteration(
  path: GeneratorPath,
  loop: NodePath<t.ForOfStatement | t.ForInStatement>,
  lowering: Lowering,
): void {
  const { node } = loop
  const walk = path.scope.generateUidIdentifier('walk')
  const value = t.memberExpression(t.cloneNode(walk), t.identifier('value'))
  const { left } = node
  const head =
    left.type === 'VariableDeclaration'
      ? t.variableDeclaration(left.kind, [
          t.variableDeclarator((left.declarations[0] as t.VariableDeclarator).id, value),
        ])
      : t.expressionStatement(t.assignmentExpression('=', left as t.LVal, value))
  const body = node.body.type === 'BlockStatement' ? node.body.body : [node.body]
  const hasPoint = [loop.get('left'), loop.get('right'), loop.get('body')].some((part) =>
    containsOperation(part as NodePath),
  )
  const made = t.forStatement(
    t.variableDeclaration('var', [t.variableDeclarator(walk, walkOf(node, hasPoint, lowering))]),
    t.callExpression(t.memberExpression(t.cloneNode(walk), t.identifier('step')), []),
    null,
    t.blockStatement([head, t.blockStatement(body)]),
  )
  made.loc = node.loc ?? null
  loop.replaceWith(hasPoint || node.type === 'ForInStatement' ? made : closingAfter(made, walk, path, lowering))
}

/** `try { LOOP } catch (error) { walk.close(); throw error }`: a loop that is left by an exception only, as JavaScript has it. */
function closingAfter(
  loop: t.ForStatement,
  walk: t.Identifier,
  path: GeneratorPath,
  lowering: Lowering,
): t.TryStatement {
  const error = path.scope.generateUidIdentifier('caught')
  const close = t.callExpression(t.memberExpression(t.cloneNode(walk), t.identifier('close')), [])
  return t.tryStatement(
    t.blockStatement([loop]),
    t.catchClause(
      t.cloneNode(error),
      t.blockStatement([
        lowering.call('pass', t.cloneNode(error)),
        t.expressionStatement(close),
        t.throwStatement(t.cloneNode(error)),
      ]),
    ),
  )
}

/** Whether an expression is `list.entries()` or its like. */
export function isView(node: t.Node): node is t.CallExpression {
  return (
    node.type === 'CallExpression' &&
    node.arguments.length === 0 &&
    node.callee.type === 'MemberExpression' &&
    !node.callee.computed &&
    node.callee.property.type === 'Identifier' &&
    VIEWS.includes(node.callee.property.name)
  )
}

/** The runtime's walk over what a loop iterates; `list.entries()` and its like are walked by the list itself. */
function walkOf(
  { type, right }: t.ForOfStatement | t.ForInStatement,
  hasPoint: boolean,
  lowering: Lowering,
): t.Expression {
  const site = lowering.site(right, 'place')
  const last = hasPoint ? [] : [t.booleanLiteral(false)]
  if (type === 'ForInStatement') return t.callExpression(lowering.runtime('walkKeys'), [right])
  if (!isView(right)) return t.callExpression(lowering.runtime('walk'), [site, right, ...last])
  const { object, property } = right.callee as t.MemberExpression
  return t.callExpression(lowering.runtime('walkView'), [
    site,
    object,
    t.stringLiteral((property as t.Identifier).name),
    ...last,
  ])
}
