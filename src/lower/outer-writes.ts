import { type NodePath, types as t } from '@babel/core'
import { isGenerator } from './levels.ts'
import type { Lowering } from './lowering.ts'

/**
 * Watches what assigns variables outside of its function, and private fields: hidden state that no stored state would
 * hold. What cannot happen during set-up alone is refused; the rest is checked when it runs.
 */
export const outerWrites = (lowering: Lowering): Record<string, (path: NodePath) => void> => ({
  'ForOfStatement|ForInStatement': (path) => {
    const loop = path as NodePath<t.ForOfStatement>
    if (loop.node.left.type !== 'VariableDeclaration') checkLoopWrite(loop, lowering)
  },
  AssignmentExpression: (path) => {
    const assignment = path as NodePath<t.AssignmentExpression>
    checkWrite(assignment, assignment.get('left'), lowering)
  },
  UpdateExpression: (path) => {
    const update = path as NodePath<t.UpdateExpression>
    checkWrite(update, update.get('argument') as NodePath, lowering)
  },
})

/** Assignments to variables of an outer function or of the module: hidden state that no stored state would hold. */
function checkWrite(
  path: NodePath<t.AssignmentExpression | t.UpdateExpression>,
  target: NodePath,
  lowering: Lowering,
): void {
  if (target.isMemberExpression()) {
    const { object } = target.node
    if (object.type === 'Identifier' && object.name === 'globalThis' && writerOf(path)) {
      throw lowering.refuse(
        path.node,
        'a function writes to globalThis, which no stored state would hold: keep it in shared memory',
      )
    }
    if (target.node.property.type === 'PrivateName') guardPrivateWrite(path, [target.node], lowering)
    return
  }
  if (target.isPattern()) {
    const members = privateTargets(target)
    if (guardPrivateWrite(path, members, lowering)) return
  }
  for (const name of Object.keys(t.getBindingIdentifiers(target.node, false, false))) {
    const binding = path.scope.getBinding(name)
    const owner = binding?.scope.getFunctionParent() ?? null
    const writer = writerOf(path)
    if (!binding || !writer || owner?.path.node === writer.node) continue
    const generator = path.find(isGenerator)
    if (generator && (!owner || !owner.path.find((at) => at.node === generator.node))) {
      throw lowering.refuse(
        path.node,
        `a program assigns "${name}", a variable outside of it, which no stored state would hold: keep it in shared memory or return it`,
      )
    }
    if (generator) continue
    const era = eraOf(owner?.path ?? null, lowering)
    const check = t.callExpression(lowering.runtime('outer'), [
      era,
      lowering.site(path.node, 'place'),
      t.stringLiteral(name),
    ])
    path.replaceWith(t.sequenceExpression([check, path.node]))
    path.skip()
  }
}

/**
 * What runs when something is assigned: the function around it, or the initializer of a class's field, which runs when
 * one is made and not where it stands; null: the module.
 */
function writerOf(path: NodePath): NodePath | null {
  return path.findParent(
    (at) =>
      at.isFunction() ||
      ((at.isClassProperty() || at.isClassPrivateProperty()) &&
        !at.node.static &&
        path.find((one) => one.key === 'value' && one.parentPath === at) !== null),
  )
}

/** Private fields are no stored state; only an object that is being made may get its own. Whether a check was put before the write. */
function guardPrivateWrite(
  path: NodePath<t.AssignmentExpression | t.UpdateExpression>,
  members: readonly t.MemberExpression[],
  lowering: Lowering,
): boolean {
  const writer = writerOf(path)
  const isMaking = writer !== null && (writer.isClassMethod({ kind: 'constructor' }) || !writer.isFunction())
  const other = members.find(({ object }) => !isMaking || object.type !== 'ThisExpression')
  if (!writer || !other) return false
  const check = t.callExpression(lowering.runtime('outer'), [
    t.numericLiteral(0),
    lowering.site(path.node, 'place'),
    t.stringLiteral(`#${(other.property as t.PrivateName).id.name}`),
  ])
  path.replaceWith(t.sequenceExpression([check, path.node]))
  path.skip()
  return true
}

/** Private members that a pattern assigns to. */
function privateTargets(pattern: NodePath): t.MemberExpression[] {
  const members: t.MemberExpression[] = []
  pattern.traverse({
    MemberExpression(inner) {
      if (inner.node.property.type === 'PrivateName') members.push(inner.node)
    },
  })
  return members
}

/** `for (x of list)` assigns x at every turn. */
function checkLoopWrite(path: NodePath<t.ForOfStatement>, lowering: Lowering): void {
  for (const name of Object.keys(t.getBindingIdentifiers(path.node.left, false, false))) {
    const owner = path.scope.getBinding(name)?.scope.getFunctionParent() ?? null
    const writer = writerOf(path)
    if (writer && path.scope.hasBinding(name, true) && owner?.path.node !== writer.node) {
      throw lowering.refuse(
        path.node,
        `the loop assigns "${name}", a variable outside of its function, which no stored state would hold: declare it in the loop`,
      )
    }
  }
}

/** An expression for when the variables of `owner` came to be: 0 for during set-up, else the step. */
function eraOf(owner: NodePath | null, lowering: Lowering): t.Expression {
  if (!owner) return t.numericLiteral(0)
  const fn = owner as NodePath<t.Function>
  const known = fn.getData('era') as string | undefined
  if (known !== undefined) return t.identifier(known)
  const id = lowering.uid(fn.get('body') as NodePath, 'era')
  const declaration = t.variableDeclaration('const', [
    t.variableDeclarator(id, t.callExpression(lowering.runtime('era'), [])),
  ])
  if (fn.node.body.type === 'BlockStatement') fn.node.body.body.unshift(declaration)
  else fn.node.body = t.blockStatement([declaration, t.returnStatement(fn.node.body as t.Expression)])
  fn.setData('era', id.name)
  return t.cloneNode(id)
}
