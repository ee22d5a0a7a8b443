import { type NodePath, traverse, types as t } from '@babel/core'
import { type GeneratorPath, containsPoint, own } from './levels.ts'
import { type Lowering, SITES } from './lowering.ts'

/**
 * Fixes the order of evaluation around points as JavaScript has it: whatever an expression evaluates before a point is
 * put into a variable before that point, so that regenerator, which evaluates some of it afterwards (targets of
 * assignments, objects of members, computed keys, spreads), finds points only in sequences, conditions and plain
 * assignments. To be run after patterns were taken apart.
 *
 * @throws Refusal for tagged templates and optional chains around points
 */
export function orderExpressions(ast: t.File, lowering: Lowering): void {
  traverse.cache.clear()
  traverse(ast, {
    'FunctionDeclaration|FunctionExpression': {
      exit(path: NodePath) {
        const fn = path as GeneratorPath
        if (fn.node.generator) new Ordering(fn, lowering).run()
      },
    },
  } as never)
  traverse.cache.clear()
}

/** A subexpression by where it is written: its place in the tree, and how to put something else there. */
interface Part {
  readonly path: NodePath<t.Expression>
  /** What becomes of its value at once: it is spread, or made a text; null: nothing. */
  readonly ahead: ((value: t.Expression) => t.Expression) | null
}

/** The expressions of one generator function. */
class Ordering {
  readonly #path: GeneratorPath
  readonly #lowering: Lowering

  constructor(path: GeneratorPath, lowering: Lowering) {
    this.#path = path
    this.#lowering = lowering
  }

  run(): void {
    const on = <T extends t.Expression>(order: (path: NodePath<T>) => void) => ({
      exit: (path: NodePath<T>) => {
        if (containsPoint(path)) order(path)
      },
    })
    own(this.#path, {
      MemberExpression: on<t.MemberExpression>((path) => this.#member(path)),
      CallExpression: on<t.CallExpression>((path) => this.#call(path)),
      NewExpression: on<t.NewExpression>((path) =>
        this.#hoist(path, [
          plain(path.get('callee') as NodePath<t.Expression>),
          ...this.#listed(path.get('arguments') as NodePath[]),
        ]),
      ),
      ArrayExpression: on<t.ArrayExpression>((path) =>
        this.#hoist(path, this.#listed(path.get('elements') as NodePath[])),
      ),
      ObjectExpression: on<t.ObjectExpression>((path) => this.#hoist(path, this.#properties(path))),
      TemplateLiteral: on<t.TemplateLiteral>((path) => {
        if (path.parent.type !== 'TaggedTemplateExpression')
          this.#hoist(path, (path.get('expressions') as NodePath<t.Expression>[]).map(asText))
      }),
      BinaryExpression: on<t.BinaryExpression>((path) => this.#binary(path)),
      AssignmentExpression: on<t.AssignmentExpression>((path) => this.#assignment(path)),
      UpdateExpression: on<t.UpdateExpression>((path) => this.#target(path, path.get('argument') as NodePath, [])),
      UnaryExpression: on<t.UnaryExpression>((path) => {
        if (path.node.operator === 'delete') this.#target(path, path.get('argument'), [])
      }),
      LogicalExpression: on<t.LogicalExpression>((path) => {
        if (path.node.operator === '??') this.#nullish(path)
      }),
      SwitchStatement: { exit: (path: NodePath<t.SwitchStatement>) => this.#switch(path) },
      TaggedTemplateExpression: on((path) => {
        throw this.#lowering.refuse(
          path.node,
          'a tagged template around a point: evaluate the operation into a const first',
        )
      }),
      'OptionalMemberExpression|OptionalCallExpression': on((path) => {
        throw this.#lowering.refuse(
          path.node,
          'optional chaining (?.) around a point: evaluate the operation into a const first',
        )
      }),
    } as never)
    this.#path.scope.crawl()
  }

  /** A variable of the function for a value in the middle of an expression. */
  #variable(): t.Identifier {
    const id = this.#path.scope.generateUidIdentifier('t')
    this.#path.scope.push({ id: t.cloneNode(id), kind: 'var' })
    return id
  }

  /** Makes of an expression a sequence: what has to come before its last point, and then itself. */
  #hoist(path: NodePath<t.Expression>, parts: readonly Part[]): void {
    const before = this.#ahead(parts)
    if (before.length > 0) this.#replace(path, [...before, path.node])
  }

  /**
   * Assignments of the parts up to the last one with a point, or of all, to variables, which stand in their places from
   * now on.
   */
  #ahead(parts: readonly Part[], isAll = false): t.Expression[] {
    const last = isAll ? parts.length - 1 : parts.findLastIndex(({ path }) => hasPoint(path))
    return parts.slice(0, last + 1).flatMap(({ path, ahead }) => {
      const { node } = path
      if (this.#isStable(node)) return []
      const id = this.#variable()
      path.replaceWith(t.cloneNode(id))
      if (ahead === null) return [t.assignmentExpression('=', id, node)]
      if (!t.isYieldExpression(node) && !containsPointIn(node)) return [t.assignmentExpression('=', id, ahead(node))]
      // regenerator knows no templates, and a point may stand in an assignment only
      return [
        t.assignmentExpression('=', id, node),
        t.assignmentExpression('=', t.cloneNode(id), ahead(t.cloneNode(id))),
      ]
    })
  }

  /** Whether an expression has the same value whenever it is evaluated: a literal, or a name from outside that is never assigned. */
  #isStable(node: t.Expression): boolean {
    if (t.isLiteral(node)) return !t.isTemplateLiteral(node) && !t.isRegExpLiteral(node)
    if (t.isUnaryExpression(node, { operator: 'void' })) return t.isLiteral(node.argument)
    if (t.isBinaryExpression(node)) return t.isIdentifier(node.left, { name: SITES }) && t.isLiteral(node.right)
    if (!t.isIdentifier(node)) return false
    const binding = this.#path.scope.getBinding(node.name)
    return !binding || (binding.constant && this.#path.scope.parent.getBinding(node.name) === binding)
  }

  #replace(path: NodePath<t.Expression>, expressions: readonly t.Expression[]): void {
    path.replaceWith(t.sequenceExpression([...expressions]))
    path.skip()
  }

  /** Elements and arguments: a spread is copied where it stands. */
  #listed(paths: readonly NodePath[]): Part[] {
    return paths.flatMap((path): Part[] => {
      if (!path.node) return []
      if (path.isSpreadElement())
        return [{ path: path.get('argument'), ahead: (value) => t.arrayExpression([t.spreadElement(value)]) }]
      return [plain(path as NodePath<t.Expression>)]
    })
  }

  #properties(path: NodePath<t.ObjectExpression>): Part[] {
    return path.get('properties').flatMap((property): Part[] => {
      if (property.isSpreadElement())
        return [{ path: property.get('argument'), ahead: (value) => t.objectExpression([t.spreadElement(value)]) }]
      const key =
        property.node && 'computed' in property.node && property.node.computed
          ? [plain(property.get('key') as NodePath<t.Expression>)]
          : []
      if (!property.isObjectProperty()) return key
      property.node.shorthand = false
      return [...key, plain(property.get('value') as NodePath<t.Expression>)]
    })
  }

  /** `o[k]` that is read: o is evaluated before k. Targets belong to their assignments, methods to their calls. */
  #member(path: NodePath<t.MemberExpression>): void {
    const { parent, key } = path
    const isTarget =
      (parent.type === 'AssignmentExpression' && key === 'left') ||
      parent.type === 'UpdateExpression' ||
      (parent.type === 'UnaryExpression' && parent.operator === 'delete') ||
      (parent.type === 'CallExpression' && key === 'callee')
    if (!isTarget && path.node.computed) this.#hoist(path, memberParts(path))
  }

  /** `o.m(...)`: o, the method and the arguments in this order. */
  #call(path: NodePath<t.CallExpression>): void {
    const callee = path.get('callee') as NodePath<t.Expression>
    const args = this.#listed(path.get('arguments') as NodePath[])
    if (!callee.isMemberExpression()) return this.#hoist(path, [plain(callee), ...args])
    if (this.#lowering.isRuntime(callee.node)) return this.#hoist(path, args)
    if (!args.some((part) => hasPoint(part.path))) return this.#target(path, callee, [])
    const before = this.#ahead(memberParts(callee), true)
    const method = this.#variable()
    before.push(t.assignmentExpression('=', method, t.cloneNode(callee.node)))
    const self = t.cloneNode(callee.node.object) as t.Expression
    const during = this.#ahead(args)
    this.#replace(path, [
      ...before,
      ...during,
      t.callExpression(this.#lowering.runtime('call'), [t.cloneNode(method), self, ...path.node.arguments]),
    ])
  }

  /** Something with a member as its target (or its callee): object and key are evaluated first, then `parts`. */
  #target(path: NodePath<t.Expression>, target: NodePath, parts: readonly Part[]): void {
    const own = target.isMemberExpression() ? memberParts(target) : []
    const isFirst = parts.some((part) => hasPoint(part.path))
    const before = [...this.#ahead(own, isFirst), ...this.#ahead(parts)]
    if (before.length > 0) this.#replace(path, [...before, path.node])
  }

  #assignment(path: NodePath<t.AssignmentExpression>): void {
    const { operator, left } = path.node
    const right = path.get('right')
    const target = path.get('left') as NodePath
    if (operator === '=') {
      if (target.isMemberExpression()) this.#target(path, target, [plain(right)])
      return
    }
    if (!hasPoint(right)) return this.#target(path, target, [])
    const before = target.isMemberExpression() ? this.#ahead(memberParts(target), true) : []
    const old = this.#variable()
    const read = t.assignmentExpression('=', t.cloneNode(old), t.cloneNode(left) as t.Expression)
    if (['||=', '&&=', '??='].includes(operator)) {
      const assigned = right.node
      const value = this.#variable()
      const write = t.sequenceExpression([
        t.assignmentExpression('=', value, assigned),
        t.assignmentExpression('=', t.cloneNode(left), t.cloneNode(value)),
      ])
      const chosen =
        operator === '??='
          ? t.conditionalExpression(t.binaryExpression('==', read, t.nullLiteral()), write, t.cloneNode(old))
          : t.logicalExpression(operator.slice(0, -1) as '||', read, write)
      this.#replace(path, [...before, chosen])
      return
    }
    const during = this.#ahead([plain(right)])
    const value = t.binaryExpression(operator.slice(0, -1) as '+', t.cloneNode(old), right.node)
    this.#replace(path, [...before, read, ...during, t.assignmentExpression('=', t.cloneNode(left), value)])
  }

  /** A template before a point: regenerator takes every template for a constant, and would make its text after the point. */
  #binary(path: NodePath<t.BinaryExpression>): void {
    const left = path.get('left') as NodePath<t.Expression>
    const right = path.get('right')
    if (hasPoint(right) && resultOf(left.node).type === 'TemplateLiteral')
      this.#hoist(path, [plain(left), plain(right)])
  }

  /** `a ?? b`, which regenerator does not know, becomes a conditional over a variable. */
  #nullish(path: NodePath<t.LogicalExpression>): void {
    const value = this.#variable()
    const { left, right } = path.node
    const isNullish = t.binaryExpression('==', t.assignmentExpression('=', value, left), t.nullLiteral())
    path.replaceWith(t.conditionalExpression(isNullish, right, t.cloneNode(value)))
    path.skip()
  }

  /** A switch whose labels hold points: which one it is, is found out first; regenerator would jump through a variable. */
  #switch(path: NodePath<t.SwitchStatement>): void {
    const cases = path.get('cases')
    if (!cases.some((one) => one.node.test && hasPoint(one.get('test') as NodePath))) return
    const value = this.#variable()
    const fallback = cases.findIndex(({ node }) => !node.test)
    let which: t.Expression = t.numericLiteral(fallback < 0 ? cases.length : fallback)
    for (let i = cases.length - 1; i >= 0; i--) {
      const { test } = (cases[i] as NodePath<t.SwitchCase>).node
      if (test)
        which = t.conditionalExpression(t.binaryExpression('===', t.cloneNode(value), test), t.numericLiteral(i), which)
    }
    cases.forEach(({ node }, i) => node.test && (node.test = t.numericLiteral(i)))
    path.node.discriminant = t.sequenceExpression([t.assignmentExpression('=', value, path.node.discriminant), which])
  }
}

function hasPoint(path: NodePath): boolean {
  return path.isYieldExpression() || containsPoint(path)
}

function containsPointIn(node: t.Node): boolean {
  let found = false
  t.traverseFast(node, (inner) => {
    if (inner.type === 'YieldExpression') found = true
  })
  return found
}

/** The expression whose value an expression has: the last of a sequence. */
function resultOf(node: t.Expression): t.Expression {
  return node.type === 'SequenceExpression' ? resultOf(node.expressions.at(-1) as t.Expression) : node
}

function plain(path: NodePath<t.Expression>): Part {
  return { path, ahead: null }
}

function asText(path: NodePath<t.Expression>): Part {
  return {
    path,
    ahead: (value) =>
      t.templateLiteral([t.templateElement({ raw: '' }), t.templateElement({ raw: '' }, true)], [value]),
  }
}

function memberParts(path: NodePath<t.MemberExpression>): Part[] {
  const object = plain(path.get('object') as NodePath<t.Expression>)
  return path.node.computed ? [object, plain(path.get('property') as NodePath<t.Expression>)] : [object]
}
