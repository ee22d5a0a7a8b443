import type { NodePath, types as t } from '@babel/core'

/** A generator function that is prepared. */
export type GeneratorPath = NodePath<t.FunctionDeclaration | t.FunctionExpression>

/** Whether a path is a generator function. */
export function isGenerator(path: NodePath): boolean {
  return path.isFunction() && path.node.generator === true
}

/** Visits a function's own level: nested functions and classes are left alone. */
export function own(path: GeneratorPath, visitor: Parameters<GeneratorPath['traverse']>[0]): void {
  path.get('body').traverse({
    Function: (inner: NodePath) => inner.skip(),
    Class: (inner: NodePath) => inner.skip(),
    ...visitor,
  } as never)
}

/** Whether an expression or statement contains a `yield` of its own function; that it is one itself does not count. */
export function containsPoint(path: NodePath): boolean {
  return containsOne(path, 'YieldExpression')
}

/** Whether control may leave a statement other than at its end, or stop in it at an operation. */
export function containsOperation(path: NodePath): boolean {
  let found = containsOne(path, 'BreakStatement|ContinueStatement|ReturnStatement|ThrowStatement')
  const look = (inner: NodePath<t.YieldExpression>): void => {
    found ||= inner.node.delegate
  }
  if (path.isYieldExpression()) look(path)
  path.traverse({ Function: (inner) => inner.skip(), YieldExpression: look })
  return found
}

/** Whether control may leave a statement other than at its end, or stop in it. */
export function containsLeap(path: NodePath): boolean {
  return containsOne(path, 'YieldExpression|BreakStatement|ContinueStatement|ReturnStatement|ThrowStatement')
}

function containsOne(path: NodePath, types: string): boolean {
  let found = false
  path.traverse({
    Function: (inner: NodePath) => inner.skip(),
    [types]: (inner: NodePath) => {
      found = true
      inner.stop()
    },
  } as never)
  return found
}
