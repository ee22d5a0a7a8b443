import { type NodePath, types as t } from '@babel/core'
import { type Lowering, THIS } from './lowering.ts'

type GeneratorPath = NodePath<t.FunctionDeclaration | t.FunctionExpression>

/**
 * Turns a generator method into a plain generator function of an explicit `$this` beside a delegating method, so
 * that regenerator sees one-level functions only. In a class the function is a private static, which keeps the
 * names of private members reachable.
 */
export function liftMethod(path: NodePath<t.ClassMethod | t.ClassPrivateMethod | t.ObjectMethod>, lowering: Lowering): void {
  const { node } = path
  const self = t.identifier(THIS)
  const name = methodName(node)
  replaceThis(path, lowering)
  const lifted = t.functionExpression(t.identifier(`${name}$generator`), [self, ...(node.params as t.FunctionParameter[])], node.body, true)
  lifted.loc = node.loc ?? null
  lowering.names.set(lifted, name)
  const forward = (callee: t.Expression): t.BlockStatement =>
    t.blockStatement([t.returnStatement(t.callExpression(callee, [t.thisExpression(), t.spreadElement(t.identifier('__vmcheck_arguments'))]))])
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
function replaceThis(method: NodePath<t.ClassMethod | t.ClassPrivateMethod | t.ObjectMethod>, lowering: Lowering): void {
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
      path.replaceWith(t.callExpression(t.memberExpression(found, t.identifier('call')), [t.identifier(THIS), ...path.node.arguments]))
    },
    MemberExpression(path) {
      if (path.node.object.type === 'Super') path.replaceWith(superMember(path.node, method, lowering))
    },
  })
}

function superMember(node: t.MemberExpression, method: NodePath<t.ClassMethod | t.ClassPrivateMethod | t.ObjectMethod>, lowering: Lowering): t.Expression {
  if (!method.parentPath?.isClassBody()) throw lowering.refuse(node, 'super in a generator method of an object literal: use a class')
  const isStatic = (method.node as t.ClassMethod).static === true
  const owner = className(method, lowering)
  const home = isStatic ? owner : t.memberExpression(owner, t.identifier('prototype'))
  const parent = t.callExpression(t.memberExpression(t.identifier('Object'), t.identifier('getPrototypeOf')), [home])
  const key = node.computed ? (node.property as t.Expression) : t.stringLiteral((node.property as t.Identifier).name)
  return t.callExpression(t.memberExpression(t.identifier('Reflect'), t.identifier('get')), [parent, key, t.identifier(THIS)])
}

/** Prepares one generator function for regenerator: simple parameters, `var` only, indexed loops, marked `yield*`. */
export function prepareGenerator(path: GeneratorPath, lowering: Lowering): void {
  refuseUnsupported(path, lowering)
  moveParameters(path)
  lowerForIn(path, lowering)
  lowerForOf(path, lowering)
  lowerTemplates(path, lowering)
  lowerLogicalAssignments(path, lowering)
  lowerNullish(path)
  bindLoopConstants(path, lowering)
  hoistBlockScoped(path, lowering)
  markYields(path, lowering)
}

/** Visits the function's own level: nested functions and classes are left alone. */
function own(path: GeneratorPath, visitor: Parameters<GeneratorPath['traverse']>[0]): void {
  path.get('body').traverse({ Function: (inner) => inner.skip(), Class: (inner) => inner.skip(), ...visitor })
}

function contains(path: NodePath, type: 'YieldExpression'): boolean {
  let found = false
  path.traverse({
    Function: (inner) => inner.skip(),
    [type]: (inner: NodePath) => {
      found = true
      inner.stop()
    },
  })
  return found
}

function refuseUnsupported(path: GeneratorPath, lowering: Lowering): void {
  const { node } = path
  if (node.async) throw lowering.refuse(node, 'async generators cannot be stored at a point: use function*')
  own(path, {
    ThisExpression(inner) {
      throw lowering.refuse(inner.node, '"this" in a generator function that is no method: pass the object as a parameter')
    },
    Identifier(inner) {
      if (inner.node.name === 'arguments' && inner.isReferencedIdentifier() && !inner.scope.hasBinding('arguments', true)) {
        throw lowering.refuse(inner.node, '"arguments" in a generator: name the parameters or use (...rest)')
      }
    },
    YieldExpression(inner) {
      if (!inner.node.delegate) throw lowering.refuse(inner.node, 'plain "yield" in a program: synchronising operations are written yield* operation()')
    },
    VariableDeclaration(inner) {
      if (inner.node.kind === 'using' || inner.node.kind === 'await using') throw lowering.refuse(inner.node, '"using" cannot be stored at a point: use try/finally')
    },
    SpreadElement(inner) {
      if (contains(inner.parentPath, 'YieldExpression')) throw lowering.refuse(inner.node, 'a spread (...) in one expression with a point: evaluate the operation into a const first')
    },
    ObjectProperty(inner) {
      if (inner.node.computed && contains(inner.get('key') as NodePath, 'YieldExpression')) throw lowering.refuse(inner.node, 'a computed key with a point in it: evaluate the operation into a const first')
    },
    'OptionalMemberExpression|OptionalCallExpression'(inner: NodePath) {
      if (contains(inner, 'YieldExpression')) throw lowering.refuse(inner.node, 'optional chaining (?.) around a point: evaluate the operation into a const first')
    },
    AwaitExpression(inner) {
      throw lowering.refuse(inner.node, '"await" in a program: the simulated machine has no promises')
    },
  })
  path.get('body').traverse({
    Class(inner) {
      throw lowering.refuse(inner.node, 'a class declared inside a program: declare it outside')
    },
  })
}

/** Patterns and defaults move into the body; a rest parameter may stay. */
function moveParameters(path: GeneratorPath): void {
  const prologue: t.Statement[] = []
  path.node.params = path.node.params.map((param) => {
    if (param.type === 'Identifier' || (param.type === 'RestElement' && param.argument.type === 'Identifier')) return param
    const name = path.scope.generateUidIdentifier('parameter')
    if (param.type === 'RestElement') {
      prologue.push(t.variableDeclaration('let', [t.variableDeclarator(param.argument as t.ArrayPattern, name)]))
      return t.restElement(t.cloneNode(name))
    }
    const isDefault = param.type === 'AssignmentPattern'
    const target = (isDefault ? param.left : param) as t.Identifier | t.Pattern
    const value = isDefault
      ? t.conditionalExpression(t.binaryExpression('===', name, t.unaryExpression('void', t.numericLiteral(0))), param.right, t.cloneNode(name))
      : name
    prologue.push(t.variableDeclaration('let', [t.variableDeclarator(target as t.Identifier, value)]))
    return t.cloneNode(name)
  })
  if (prologue.length === 0) return
  path.node.body.body.unshift(...prologue)
  path.scope.crawl()
}

/** for-in becomes for-of over the keys. */
function lowerForIn(path: GeneratorPath, lowering: Lowering): void {
  own(path, {
    ForInStatement(loop) {
      const { left, right, body, loc } = loop.node
      const made = t.forOfStatement(left, t.callExpression(lowering.runtime('keys'), [right]), body)
      made.loc = loc ?? null
      loop.replaceWith(made)
    },
  })
}

/** for-of becomes a loop by index over an array (or what the runtime copied into one). */
function lowerForOf(path: GeneratorPath, lowering: Lowering): void {
  own(path, {
    ForOfStatement: {
      exit(loop: NodePath<t.ForOfStatement>) {
        const { node } = loop
        if (node.await) throw lowering.refuse(node, '"for await" in a program: the simulated machine has no promises')
        const list = path.scope.generateUidIdentifier('list')
        const index = path.scope.generateUidIdentifier('index')
        const item = t.memberExpression(list, index, true)
        const { left } = node
        const head =
          left.type === 'VariableDeclaration'
            ? t.variableDeclaration(left.kind, [t.variableDeclarator((left.declarations[0] as t.VariableDeclarator).id, item)])
            : t.expressionStatement(t.assignmentExpression('=', left as t.LVal, item))
        const body = node.body.type === 'BlockStatement' ? node.body.body : [node.body]
        const made = t.forStatement(
          t.variableDeclaration('var', [
            t.variableDeclarator(t.cloneNode(list), t.callExpression(lowering.runtime('iterate'), [node.right])),
            t.variableDeclarator(t.cloneNode(index), t.numericLiteral(0)),
          ]),
          t.binaryExpression('<', t.cloneNode(index), t.memberExpression(t.cloneNode(list), t.identifier('length'))),
          t.updateExpression('++', t.cloneNode(index)),
          t.blockStatement([head, t.blockStatement(body)]),
        )
        made.loc = node.loc ?? null
        loop.replaceWith(made)
      },
    },
  })
  path.scope.crawl()
}

/** `x ||= E` with a point in E, which regenerator does not know, becomes `x || (x = E)`. */
function lowerLogicalAssignments(path: GeneratorPath, lowering: Lowering): void {
  own(path, {
    AssignmentExpression(inner) {
      const { operator, left, right } = inner.node
      if (!['||=', '&&=', '??='].includes(operator) || !contains(inner, 'YieldExpression')) return
      const isSimple = left.type === 'Identifier' || (left.type === 'MemberExpression' && !left.computed && left.object.type === 'Identifier')
      if (!isSimple) throw lowering.refuse(inner.node, `${operator} around a point with a computed target: write it as an if`)
      inner.replaceWith(t.logicalExpression(operator.slice(0, -1) as '||', t.cloneNode(left) as t.Expression, t.assignmentExpression('=', left, right)))
    },
  })
}

/** `a ?? b` with a point in it, which regenerator does not know either, becomes a conditional over a variable. */
function lowerNullish(path: GeneratorPath): void {
  own(path, {
    LogicalExpression: {
      exit(inner: NodePath<t.LogicalExpression>) {
        if (inner.node.operator !== '??' || !contains(inner, 'YieldExpression')) return
        const value = path.scope.generateUidIdentifier('value')
        path.scope.push({ id: value, kind: 'var' })
        const { left, right } = inner.node
        const isNullish = t.binaryExpression('==', t.assignmentExpression('=', t.cloneNode(value), left), t.nullLiteral())
        inner.replaceWith(t.conditionalExpression(isNullish, right, t.cloneNode(value)))
      },
    },
  })
}

/** A template literal with a point in it, which regenerator does not know, becomes a call. */
function lowerTemplates(path: GeneratorPath, lowering: Lowering): void {
  own(path, {
    TaggedTemplateExpression(inner) {
      if (contains(inner, 'YieldExpression')) throw lowering.refuse(inner.node, 'a tagged template around a point: evaluate the operation into a const first')
    },
    TemplateLiteral(inner) {
      if (!contains(inner, 'YieldExpression')) return
      const strings = t.arrayExpression(inner.node.quasis.map(({ value }) => t.stringLiteral(value.cooked ?? value.raw)))
      inner.replaceWith(t.callExpression(lowering.runtime('text'), [strings, ...(inner.node.expressions as t.Expression[])]))
    },
  })
}

/**
 * A closure made in a loop captures the variables of its turn. Those that never change are passed to it by value;
 * a changing one has no such meaning once all turns share one variable, and is refused.
 */
function bindLoopConstants(path: GeneratorPath, lowering: Lowering): void {
  const wraps: { closure: NodePath<t.Function>; names: Set<string> }[] = []
  path.get('body').traverse({
    Function(closure) {
      const names = new Set<string>()
      closure.traverse({
        Identifier(inner) {
          if (!inner.isReferencedIdentifier() && !isWrite(inner)) return
          const binding = inner.scope.getBinding(inner.node.name)
          if (!binding || binding.scope === path.scope || !inLoopOf(binding.scope.path, path)) return
          if (binding.path.findParent((parent) => parent === closure) || binding.scope.path === closure) return
          if (binding.kind !== 'let' && binding.kind !== 'const') return
          if (!binding.constant) {
            throw lowering.refuse(inner.node, `the closure captures "${inner.node.name}", which changes in a loop of a program: copy it to a const first`)
          }
          refuseUnready(inner, binding.path, closure, lowering)
          names.add(inner.node.name)
        },
      })
      if (names.size > 0 && !closure.isArrowFunctionExpression() && !closure.isFunctionExpression()) {
        throw lowering.refuse(closure.node, `this function captures "${[...names][0]}" of a loop of a program: use an arrow function`)
      }
      if (names.size > 0 && (closure.isArrowFunctionExpression() || closure.isFunctionExpression())) wraps.push({ closure, names })
      closure.skip()
    },
  })
  for (const { closure, names } of wraps) {
    const made = t.arrowFunctionExpression([...names].map((name) => t.identifier(name)), closure.node as t.Expression)
    lowering.ours.add(made)
    closure.replaceWith(t.callExpression(made, [...names].map((name) => t.identifier(name))))
    closure.skip()
  }
  if (wraps.length > 0) path.scope.crawl()
}

/** By value a closure can capture only what has its value when the closure is made. */
function refuseUnready(use: NodePath<t.Identifier>, declaration: NodePath, closure: NodePath, lowering: Lowering): void {
  const isSelf = closure.findParent((at) => at.node === declaration.node) !== null
  const isLater = (declaration.node.start ?? 0) > (closure.node.start ?? 0)
  if (isSelf || isLater) throw lowering.refuse(use.node, `the closure captures "${use.node.name}" of a loop of a program before it has a value: declare it outside of the loop`)
}

function isWrite(path: NodePath<t.Identifier>): boolean {
  return (path.parent.type === 'AssignmentExpression' && path.key === 'left') || path.parent.type === 'UpdateExpression'
}

function inLoopOf(scopePath: NodePath, fn: GeneratorPath): boolean {
  let isInLoop = false
  for (let at: NodePath | null = scopePath; at; at = at.parentPath) {
    if (at.node === fn.node) return isInLoop
    isInLoop ||= at.isLoop()
  }
  return false
}

/** `let` and `const` become `var` under names of their own, so that a variable is one slot of the activation. */
function hoistBlockScoped(path: GeneratorPath, lowering: Lowering): void {
  const taken = new Set(Object.keys(path.scope.bindings))
  const { globals } = path.scope.getProgramParent() as unknown as { globals: object }
  own(path, {
    Scope(inner: NodePath) {
      if (inner.scope === path.scope || inner.isFunction()) return
      for (const name of Object.keys(inner.scope.bindings)) {
        const clash = taken.has(name) || path.scope.parent.hasBinding(name) || Object.hasOwn(globals, name)
        if (clash) {
          const fresh = freshName(name, taken, path)
          inner.scope.rename(name, fresh)
          taken.add(fresh)
        } else taken.add(name)
      }
    },
  })
  own(path, {
    VariableDeclaration(inner) {
      const { node } = inner
      if (node.kind !== 'let' && node.kind !== 'const') return
      const isHead = (inner.parent.type === 'ForInStatement' || inner.parent.type === 'ForOfStatement') && inner.key === 'left'
      for (const declarator of node.declarations) {
        refuseConstantWrite(inner, declarator, lowering)
        if (!isHead) declarator.init ??= t.unaryExpression('void', t.numericLiteral(0))
      }
      node.kind = 'var'
    },
    CatchClause(inner) {
      const { param, body } = inner.node
      if (!param || param.type === 'Identifier') return
      const caught = path.scope.generateUidIdentifier('caught')
      body.body.unshift(t.variableDeclaration('var', [t.variableDeclarator(param as t.ArrayPattern, caught)]))
      inner.node.param = t.cloneNode(caught)
    },
  })
  path.scope.crawl()
}

function freshName(name: string, taken: ReadonlySet<string>, path: GeneratorPath): string {
  for (let i = 1; ; i++) {
    const fresh = `${name}$${i}`
    if (!taken.has(fresh) && !path.scope.hasBinding(fresh) && !path.scope.hasGlobal(fresh)) return fresh
  }
}

function refuseConstantWrite(path: NodePath<t.VariableDeclaration>, declarator: t.VariableDeclarator, lowering: Lowering): void {
  if (path.node.kind !== 'const') return
  for (const name of Object.keys(t.getBindingIdentifiers(declarator.id))) {
    const violation = path.scope.getBinding(name)?.constantViolations[0]
    if (violation && !violation.isDeclaration()) throw lowering.refuse(violation.node, `"${name}" is a const and cannot be assigned`)
  }
}

/** `yield* E` becomes `(yield MARK, yield* at(site, E))`: the mark lets a closure operation be evaluated anew. */
function markYields(path: GeneratorPath, lowering: Lowering): void {
  own(path, {
    YieldExpression: {
      exit(inner: NodePath<t.YieldExpression>) {
        if (!inner.node.delegate || !inner.node.argument || lowering.ours.has(inner.node)) return
        const site = lowering.site(inner.node, 'point')
        const delegation = t.yieldExpression(t.callExpression(lowering.runtime('at'), [site, inner.node.argument]), true)
        lowering.ours.add(delegation)
        const mark = t.yieldExpression(lowering.runtime('MARK'), false)
        lowering.ours.add(mark)
        inner.replaceWith(t.sequenceExpression([mark, delegation]))
      },
    },
  })
}
