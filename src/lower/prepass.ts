import { type NodePath, traverse, types as t } from '@babel/core'
import { prepareGenerator } from './generators.ts'
import { containsPoint, isGenerator } from './levels.ts'
import type { Lowering } from './lowering.ts'
import { liftMethod } from './methods.ts'
import { mayAccess } from './stops.ts'
import { outerWrites } from './outer-writes.ts'
import { OUTSIDE, outsideMessage } from '../source/outside.ts'

/**
 * The pre-pass: brings generators into the form that regenerator turns into plain one-level functions, and adds what
 * the runtime needs to know of every function: ticks of loops, branches taken, captured variables, writes to outer ones.
 * @throws Refusal for constructs that cannot be stored at a point
 */
export function prepass(ast: t.File, lowering: Lowering): void {
  traverse(ast, {
    'ClassMethod|ClassPrivateMethod|ObjectMethod': {
      exit(path: NodePath) {
        const method = path as NodePath<t.ClassMethod | t.ClassPrivateMethod | t.ObjectMethod>
        if (method.node.generator) {
          if (method.node.async)
            throw lowering.refuse(method.node, 'async generators cannot be stored at a point: use function*')
          liftMethod(method, lowering)
        }
      },
    },
  } as never)
  traverse.cache.clear()
  if (lowering.counted) refuseOutside(ast, lowering)
  traverse(ast, {
    Program: (path: NodePath<t.Program>) => path.scope.crawl(),
    ...outerWrites(lowering),
  } as never)
  traverse.cache.clear()
  traverse(ast, { Function: (path) => nameFunction(path, lowering) })
  traverse(ast, {
    Loop: (path: NodePath<t.Loop>) => tickLoop(path, lowering),
    Function: (path: NodePath<t.Function>) => tickCall(path, lowering),
    Class: (path: NodePath<t.Class>) => witnessPrivates(path, lowering),
    TryStatement: (path: NodePath<t.TryStatement>) => guardTry(path, lowering),
    IfStatement: (path: NodePath<t.IfStatement>) => countBranches(path, lowering),
    ConditionalExpression: (path: NodePath<t.ConditionalExpression>) => countArms(path, lowering),
    SwitchCase: (path: NodePath<t.SwitchCase>) => countCase(path, lowering),
    ExpressionStatement: (path: NodePath<t.ExpressionStatement>) => witnessUse(path.get('expression'), lowering),
    UnaryExpression: (path: NodePath<t.UnaryExpression>) =>
      path.node.operator === '!' && witnessUse(path.get('argument'), lowering),
    LogicalExpression: (path: NodePath<t.LogicalExpression>) => witnessUse(path.get('left'), lowering),
    'IfStatement|ConditionalExpression|WhileStatement|DoWhileStatement': (path: NodePath) =>
      witnessUse(path.get('test') as NodePath, lowering),
  } as never)
  traverse.cache.clear()
  traverse(ast, {
    'FunctionExpression|FunctionDeclaration|ArrowFunctionExpression|ClassDeclaration|ClassExpression|ObjectExpression':
      {
        exit(path: NodePath) {
          if (path.isFunction() && path.node.generator) return
          if (path.isObjectExpression() && !path.node.properties.some(({ type }) => type === 'ObjectMethod')) return
          witnessCaptures(path as NodePath<t.Function | t.Class>, lowering)
        },
      },
  } as never)
  traverse.cache.clear()
  traverse(ast, {
    'FunctionDeclaration|FunctionExpression': {
      exit(path: NodePath) {
        const fn = path as NodePath<t.FunctionDeclaration | t.FunctionExpression>
        if (fn.node.generator) prepareGenerator(fn, lowering)
      },
    },
  } as never)
  traverse.cache.clear()
}

/** Refuses names of things that differ from run to run, or lie outside of the model. */
function refuseOutside(ast: t.File, lowering: Lowering): void {
  traverse(ast, {
    Program: (path: NodePath<t.Program>) => path.scope.crawl(),
    Identifier(path: NodePath<t.Identifier>) {
      const { name } = path.node
      if (!path.isReferencedIdentifier() || path.scope.hasBinding(name, true)) return
      if (Object.hasOwn(OUTSIDE, name)) throw lowering.refuse(path.node, outsideMessage(name, OUTSIDE[name] as string))
      const { parent } = path
      const isRandom =
        name === 'Math' &&
        parent.type === 'MemberExpression' &&
        path.key === 'object' &&
        (parent.computed
          ? t.isStringLiteral(parent.property, { value: 'random' })
          : t.isIdentifier(parent.property, { name: 'random' }))
      if (isRandom) throw lowering.refuse(parent, outsideMessage('Math.random', 'random numbers'))
    },
    MetaProperty(path: NodePath<t.MetaProperty>) {
      if (path.node.meta.name === 'import')
        throw lowering.refuse(path.node, outsideMessage('import.meta', 'the process that runs it'))
    },
    Import: (path: NodePath<t.Import>) => refuseLater(path, 'import() loads', lowering),
    Function: (path: NodePath<t.Function>) => {
      if (path.node.async && !path.node.generator) refuseLater(path, 'an async function runs', lowering)
    },
  } as never)
  traverse.cache.clear()
}

function refuseLater(path: NodePath, what: string, lowering: Lowering): never {
  throw lowering.refuse(
    path.node,
    `${what} later, outside of any step: use function* and operations, or import at the top of the file`,
  )
}

function inGenerator(path: NodePath): boolean {
  return path.findParent(isGenerator) !== null
}

/** Remembers what the source calls a function, before lowering renames or wraps it. */
function nameFunction(path: NodePath<t.Function>, lowering: Lowering): void {
  const { node, parent } = path
  if (lowering.names.has(node)) return
  if ('id' in node && node.id) lowering.names.set(node, (node.id as t.Identifier).name)
  else if (parent.type === 'VariableDeclarator' && parent.id.type === 'Identifier')
    lowering.names.set(node, parent.id.name)
  else if (parent.type === 'ObjectProperty' && parent.key.type === 'Identifier')
    lowering.names.set(node, parent.key.name)
}

/** A call whose value is dropped or only tested: it must be no operation or generator that no one executes. */
function witnessUse(path: NodePath, lowering: Lowering): void {
  if (
    !path.isCallExpression() ||
    lowering.ours.has(path.node) ||
    lowering.ours.has(path.parent) ||
    path.node.callee.type === 'Super'
  )
    return
  if (containsPoint(path)) return // regenerator would keep the runtime in a variable across the point
  const { node } = path
  lowering.ours.add(node)
  const witness = t.callExpression(lowering.runtime('used'), [lowering.site(node, 'place'), node])
  lowering.ours.add(witness)
  path.replaceWith(witness)
}

function tickLoop(path: NodePath<t.Loop>, lowering: Lowering): void {
  const body = path.get('body') as NodePath<t.Statement>
  const owner = path.getFunctionParent()
  const tick = lowering.call(
    'tick',
    lowering.site(path.node, 'place'),
    t.booleanLiteral(containsPoint(path)),
    t.booleanLiteral(owner !== null && isGenerator(owner) && mayAccess(path)),
  )
  if (body.isBlockStatement()) body.node.body.unshift(tick)
  else body.replaceWith(t.blockStatement([tick, body.node]))
}

/** Calls tick like loops, so that a recursion without a point is noticed; generators tick when they are called. */
function tickCall(path: NodePath<t.Function>, lowering: Lowering): void {
  const { body } = path.node
  if (path.node.generator || lowering.ours.has(path.node) || body.type !== 'BlockStatement') return
  body.body.unshift(
    lowering.call('tick', lowering.site(path.node, 'place'), t.booleanLiteral(false), t.booleanLiteral(false)),
  )
}

/** Lets set-up see what private fields hold, to freeze and number it. */
function witnessPrivates(path: NodePath<t.Class>, lowering: Lowering): void {
  const names = (isStatic: boolean): string[] =>
    path.node.body.body.flatMap((member) =>
      member.type === 'ClassPrivateProperty' && member.static === isStatic ? [member.key.id.name] : [],
    )
  const values = (owner: () => t.Expression, list: readonly string[]): t.ArrayExpression =>
    t.arrayExpression(list.map((name) => t.memberExpression(owner(), t.privateName(t.identifier(name)))))
  const add = (member: string, read: t.ArrowFunctionExpression): void => {
    lowering.ours.add(read)
    path.node.body.body.push(t.staticBlock([lowering.call(member, t.thisExpression(), read)]))
  }
  const [own, shared] = [names(false), names(true)]
  const methods = path.node.body.body.flatMap((member) =>
    member.type === 'ClassPrivateMethod' && !member.static ? [member.key.id.name] : [],
  )
  const [known] = [...own, ...methods]
  if (known !== undefined) {
    const instance = (): t.Identifier => t.identifier('instance')
    const has = t.binaryExpression('in', t.privateName(t.identifier(known)), instance())
    // an instance with private methods only has something private, too
    const read = t.conditionalExpression(
      has,
      own.length > 0 ? values(instance, own) : t.arrayExpression([t.nullLiteral()]),
      t.arrayExpression([]),
    )
    lowering.ours.add(read)
    add('privates', t.arrowFunctionExpression([instance()], read))
    // a constructor may return an object that has been there before, which a derived class then gives its private fields
    if (path.node.superClass)
      path.node.body.body.unshift(
        t.classPrivateProperty(
          t.privateName(t.identifier('__vmcheck_stamped')),
          t.callExpression(lowering.runtime('stamped'), [t.thisExpression(), lowering.site(path.node, 'place')]),
        ),
      )
  }
  if (shared.length > 0)
    add(
      'statics',
      t.arrowFunctionExpression(
        [],
        values(() => t.thisExpression(), shared),
      ),
    )
}

/** The model's own catch and finally must not see the executor's signals. */
function guardTry(path: NodePath<t.TryStatement>, lowering: Lowering): void {
  const { handler, finalizer } = path.node
  if (handler) {
    let { param } = handler
    if (!param) handler.param = param = lowering.uid(path, 'caught')
    if (param.type !== 'Identifier') {
      const caught = lowering.uid(path, 'caught')
      handler.body.body.unshift(t.variableDeclaration('let', [t.variableDeclarator(param as t.ArrayPattern, caught)]))
      handler.param = param = t.cloneNode(caught)
    }
    if (lowering.counted) handler.body.body.unshift(lowering.call('seen', lowering.site(handler, 'branch')))
    handler.body.body.unshift(lowering.call('pass', t.identifier(param.name)))
  }
  if (finalizer) {
    const test = t.unaryExpression('!', t.callExpression(lowering.runtime('unwinding'), []))
    const guarded = t.ifStatement(test, t.blockStatement(finalizer.body))
    lowering.ours.add(guarded)
    finalizer.body = [guarded]
  }
}

function countBranches(path: NodePath<t.IfStatement>, lowering: Lowering): void {
  if (!lowering.counted || lowering.ours.has(path.node)) return
  for (const key of ['consequent', 'alternate'] as const) {
    const arm = path.node[key]
    if (!arm || (key === 'alternate' && arm.type === 'IfStatement')) continue
    const seen = lowering.call(
      'seen',
      lowering.site(arm.type === 'BlockStatement' ? (arm.body[0] ?? arm) : arm, 'branch'),
    )
    path.node[key] = t.blockStatement([seen, ...(arm.type === 'BlockStatement' ? arm.body : [arm])])
  }
}

function countArms(path: NodePath<t.ConditionalExpression>, lowering: Lowering): void {
  if (
    !lowering.counted ||
    lowering.ours.has(path.node) ||
    lowering.ours.has(path.parent) ||
    !path.findParent((at) => at.isFunction())
  )
    return
  for (const key of ['consequent', 'alternate'] as const) {
    const arm = path.node[key]
    if (arm.type === 'ConditionalExpression') continue
    path.node[key] = t.sequenceExpression([
      t.callExpression(lowering.runtime('seen'), [lowering.site(arm, 'branch')]),
      arm,
    ])
  }
}

function countCase(path: NodePath<t.SwitchCase>, lowering: Lowering): void {
  const first = path.node.consequent[0]
  if (lowering.counted && first) path.node.consequent.unshift(lowering.call('seen', lowering.site(first, 'branch')))
}

/** Tells the runtime what a function, class or object with methods made during set-up captures, so that programs cannot change it unseen. */
function witnessCaptures(path: NodePath<t.Function | t.Class>, lowering: Lowering): void {
  if (lowering.ours.has(path.node) || inGenerator(path)) return
  const thunk = capturesThunk(path)
  if (!thunk) return
  lowering.ours.add(thunk)
  if (path.isFunctionDeclaration() || path.isClassDeclaration()) {
    const id = ((path.node as t.FunctionDeclaration).id ??= lowering.uid(path, 'unnamed')) as t.Identifier
    const statement = lowering.call('closes', t.identifier(id.name), thunk)
    const anchor = path.parentPath.isExportDeclaration() ? path.parentPath : path
    anchor.insertAfter(statement)
    return
  }
  const node = path.node as t.Expression
  lowering.ours.add(node)
  path.replaceWith(t.callExpression(lowering.runtime('closes'), [node, thunk]))
  path.skip()
}

/** `() => [a, b]` of the outer variables that a function or class mentions, or null without any. */
export function capturesThunk(path: NodePath): t.ArrowFunctionExpression | null {
  const names = new Set<string>()
  path.traverse({
    Identifier(inner) {
      if (!inner.isReferencedIdentifier()) return
      const { name } = inner.node
      const binding = inner.scope.getBinding(name)
      if (!binding || binding.scope.path.find((at) => at.node === path.node)) return
      names.add(name)
    },
  })
  return names.size === 0
    ? null
    : t.arrowFunctionExpression([], t.arrayExpression([...names].map((name) => t.identifier(name))))
}
