import { type NodePath, types as t } from '@babel/core'
import { type Lowering, THIS } from './lowering.ts'

/**
 * Turns a generator method into a plain generator function of an explicit `$this` beside a delegating method, so
 * that regenerator sees one-level functions only. In a class the function is a private static, which keeps the
 * names of private members reachable.
 */
export function liftMethod(
  path: NodePath<t.ClassMethod | t.ClassPrivateMethod | t.ObjectMethod>,
  lowering: Lowering,
): void {
  const { node } = path
  const self = t.identifier(THIS)
  const name = methodName(node)
  replaceThis(path, lowering)
  const lifted = t.functionExpression(
    t.identifier(`${name}$generator`),
    [self, ...(node.params as t.FunctionParameter[])],
    node.body,
    true,
  )
  lifted.loc = node.loc ?? null
  lowering.names.set(lifted, name)
  const forward = (callee: t.Expression): t.BlockStatement =>
    t.blockStatement([
      t.returnStatement(
        t.callExpression(callee, [t.thisExpression(), t.spreadElement(t.identifier('__vmcheck_arguments'))]),
      ),
    ])
  const rest = [t.restElement(t.identifier('__vmcheck_arguments'))]
  node.generator = false
  if (node.type === 'ObjectMethod') {
    const holder = t.identifier('__vmcheck_generator')
    const wrapper = t.functionExpression(t.identifier(name), rest, forward(holder))
    lowering.ours.add(wrapper)
    const made = t.arrowFunctionExpression(
      [],
      t.blockStatement([
        t.variableDeclaration('const', [t.variableDeclarator(holder, lifted)]),
        t.returnStatement(wrapper),
      ]),
    )
    lowering.ours.add(made)
    path.replaceWith(t.objectProperty(node.key as t.Expression, t.callExpression(made, []), node.computed))
    return
  }
  const key = t.privateName(t.identifier(path.scope.generateUid(`${name}$generator`)))
  const holder = className(path, lowering)
  path.insertBefore(t.classPrivateProperty(key, lifted, [], true))
  node.params = rest
  node.body = forward(t.memberExpression(holder, t.cloneNode(key)))
}

function methodName(node: t.ClassMethod | t.ClassPrivateMethod | t.ObjectMethod): string {
  const { key } = node
  if (key.type === 'PrivateName') return key.id.name
  if (key.type === 'Identifier') return key.name
  return key.type === 'StringLiteral' && t.isValidIdentifier(key.value) ? key.value : 'method'
}

function className(path: NodePath, lowering: Lowering): t.Identifier {
  const owner = path.findParent((parent) => parent.isClass()) as NodePath<t.Class>
  if (!owner.node.id) owner.node.id = lowering.uid(path, 'Class')
  return t.identifier((owner.node.id as t.Identifier).name)
}

/** `this` becomes `$this`; `super.m` a look-up through the class. */
function replaceThis(
  method: NodePath<t.ClassMethod | t.ClassPrivateMethod | t.ObjectMethod>,
  lowering: Lowering,
): void {
  method.traverse({
    FunctionExpression: (path) => path.skip(),
    FunctionDeclaration: (path) => path.skip(),
    ObjectMethod: (path) => path.skip(),
    Class: (path) => path.skip(),
    ThisExpression(path) {
      path.replaceWith(t.identifier(THIS))
    },
    CallExpression(path) {
      const { callee } = path.node
      if (callee.type !== 'MemberExpression' || callee.object.type !== 'Super') return
      const found = superMember(callee, method, lowering)
      path.replaceWith(
        t.callExpression(t.memberExpression(found, t.identifier('call')), [t.identifier(THIS), ...path.node.arguments]),
      )
    },
    MemberExpression(path) {
      if (path.node.object.type === 'Super') path.replaceWith(superMember(path.node, method, lowering))
    },
  })
}

function superMember(
  node: t.MemberExpression,
  method: NodePath<t.ClassMethod | t.ClassPrivateMethod | t.ObjectMethod>,
  lowering: Lowering,
): t.Expression {
  if (!method.parentPath?.isClassBody())
    throw lowering.refuse(node, 'super in a generator method of an object literal: use a class')
  const isStatic = (method.node as t.ClassMethod).static === true
  const owner = className(method, lowering)
  const home = isStatic ? owner : t.memberExpression(owner, t.identifier('prototype'))
  const parent = t.callExpression(t.memberExpression(t.identifier('Object'), t.identifier('getPrototypeOf')), [home])
  const key = node.computed ? (node.property as t.Expression) : t.stringLiteral((node.property as t.Identifier).name)
  return t.callExpression(t.memberExpression(t.identifier('Reflect'), t.identifier('get')), [
    parent,
    key,
    t.identifier(THIS),
  ])
}
