import { type NodePath, types as t } from '@babel/core'
import { type GeneratorPath, own } from './levels.ts'
import { isView } from './loops.ts'
import type { Lowering } from './lowering.ts'

/**
 * Puts labels into a generator function at which its thread can be stored before an access, although no operation is
 * there. A thread that is stopped at one is told apart by the variables that its code still uses, and not by all values
 * that it has read.
 *
 * - `x.f` becomes `(stops(x, 'f') && (yield SITE), x.f)`: whether `x.f` is a field, and whether its access belongs to
 *   the next step, the runtime finds out (see `Stops`).
 * - What may access fields out of sight (a call of a plain function, an optional chain, a pattern) stays as it is. The
 *   whole expression becomes `(anchors() && (yield SITE), E)`: accesses are remembered from there on.
 *
 * To be run before loops and patterns are lowered and expressions are ordered, as if the labels were points.
 */
export function placeStops(path: GeneratorPath, lowering: Lowering): void {
  const placing = new Placing(path, lowering)
  placing.stop()
  placing.anchor()
  path.scope.crawl()
}

/** Whether something in a loop of the function's own level may access a field, so that a stop in it can be come back to. */
export function mayAccess(loop: NodePath<t.Loop>): boolean {
  let found = false
  loop.traverse({
    Function: (inner: NodePath) => inner.skip(),
    'MemberExpression|OptionalMemberExpression|CallExpression|OptionalCallExpression|Pattern|TaggedTemplateExpression':
      (inner: NodePath) => {
        found = true
        inner.stop()
      },
  } as never)
  return found
}

/** Operators that assign only if they have to. */
const LOGICAL: readonly string[] = ['||=', '&&=', '??=']

/** The stops and anchors of one generator function. */
class Placing {
  readonly #path: GeneratorPath
  readonly #lowering: Lowering
  readonly #done = new WeakSet<t.Node>()

  constructor(path: GeneratorPath, lowering: Lowering) {
    this.#path = path
    this.#lowering = lowering
  }

  /** Puts a stop before every property that is read or written where control can leave the expression. */
  stop(): void {
    own(this.#path, {
      MemberExpression: { exit: (inner: NodePath<t.MemberExpression>) => this.#read(inner) },
      AssignmentExpression: { exit: (inner: NodePath<t.AssignmentExpression>) => this.#assignment(inner) },
      UpdateExpression: { exit: (inner: NodePath<t.UpdateExpression>) => this.#update(inner) },
    } as never)
  }

  /** Puts an anchor before every whole expression that may access fields out of sight. */
  anchor(): void {
    const whole =
      (key: string) =>
      (inner: NodePath): void => {
        const part = inner.get(key) as NodePath<t.Expression>
        if (!part.node || !part.isExpression() || this.#done.has(part.node) || !isOpaque(part, this.#lowering)) return
        const sequence = t.sequenceExpression([this.#label(part.node, 'anchors', []), part.node])
        sequence.loc = part.node.loc ?? null
        this.#done.add(sequence)
        part.replaceWith(sequence)
      }
    own(this.#path, {
      ExpressionStatement: {
        exit: (inner: NodePath<t.ExpressionStatement>) => {
          // a pattern stays what the statement is
          const { expression } = inner.node
          const isPattern = expression.type === 'AssignmentExpression' && t.isPattern(expression.left)
          if (isPattern) whole('right')(inner.get('expression'))
          else whole('expression')(inner)
        },
      },
      VariableDeclarator: { exit: whole('init') },
      'ReturnStatement|ThrowStatement': { exit: whole('argument') },
      'IfStatement|WhileStatement|DoWhileStatement': { exit: whole('test') },
      SwitchStatement: { exit: whole('discriminant') },
      ForStatement: {
        exit: (inner: NodePath) => ['init', 'test', 'update'].forEach((key) => whole(key)(inner)),
      },
      ForXStatement: {
        exit: (inner: NodePath<t.ForXStatement>) => {
          if (!isView(inner.node.right)) whole('right')(inner)
        },
      },
    } as never)
  }

  /** `QUESTION && (yield SITE)`: a label that is taken only if the runtime says so. */
  #label(at: t.Node, question: 'stops' | 'anchors', args: readonly t.Expression[]): t.Expression {
    const label = t.yieldExpression(this.#lowering.site(at, 'place'), false)
    this.#lowering.ours.add(label)
    return t.logicalExpression('&&', t.callExpression(this.#lowering.runtime(question), [...args]), label)
  }

  #variable(): t.Identifier {
    const id = this.#path.scope.generateUidIdentifier('t')
    this.#path.scope.push({ id: t.cloneNode(id), kind: 'var' })
    return id
  }

  #read(path: NodePath<t.MemberExpression>): void {
    const { node } = path
    if (!this.#mayBeField(node) || isTarget(path) || isClosed(path)) return
    const { before, object, key } = this.#held(node, false)
    this.#replace(path, [...before, this.#stopAt(node, object, key, false), this.#member(node, object, key)])
  }

  #assignment(path: NodePath<t.AssignmentExpression>): void {
    const { left, operator, right } = path.node
    const isPlain = operator === '='
    if (left.type !== 'MemberExpression' || !this.#mayBeField(left) || isClosed(path)) return
    if (t.isFunction(right) || t.isClass(right)) return // no field holds one, and it would get a name
    if (left.computed && !isPlain) return // the key would become a text twice
    const { before, object, key } = this.#held(left, !(isPlain && isConstant(right)))
    const write = (value: t.Expression): t.Expression[] => [
      this.#stopAt(left, object, key, true),
      this.#assign(path.node, this.#member(left, object, key), value),
    ]
    if (isPlain) {
      if (isConstant(right)) return this.#replace(path, [...before, ...write(right)])
      const value = this.#variable()
      const kept = t.assignmentExpression('=', value, right)
      return this.#replace(path, [...before, kept, ...write(t.cloneNode(value))])
    }
    const value = this.#variable()
    const read = t.sequenceExpression([this.#stopAt(left, object, key, false), this.#member(left, object, key)])
    const old = t.assignmentExpression('=', value, read)
    if (LOGICAL.includes(operator)) {
      const further = this.#variable()
      const assigned = t.sequenceExpression([
        t.assignmentExpression('=', further, right),
        ...write(t.cloneNode(further)),
      ])
      const chosen = t.logicalExpression(operator.slice(0, -1) as '||', t.cloneNode(value), assigned)
      return this.#replace(path, [...before, old, chosen])
    }
    const result = t.binaryExpression(operator.slice(0, -1) as '+', t.cloneNode(value), right)
    const next = t.assignmentExpression('=', t.cloneNode(value), result)
    this.#replace(path, [...before, old, next, ...write(t.cloneNode(value))])
  }

  /** `x.f++`: the addition is made on a variable, as JavaScript does it for values of any type. */
  #update(path: NodePath<t.UpdateExpression>): void {
    const { argument, operator, prefix } = path.node
    if (argument.type !== 'MemberExpression' || argument.computed || !this.#mayBeField(argument) || isClosed(path))
      return
    const { before, object, key } = this.#held(argument, true)
    const [value, old] = [this.#variable(), this.#variable()]
    this.#replace(path, [
      ...before,
      this.#stopAt(argument, object, key, false),
      t.assignmentExpression('=', value, this.#member(argument, object, key)),
      t.assignmentExpression('=', old, t.updateExpression(operator, t.cloneNode(value), prefix)),
      this.#stopAt(argument, object, key, true),
      this.#assign(path.node, this.#member(argument, object, key), t.cloneNode(value)),
      t.cloneNode(old),
    ])
  }

  /** Whether a property may be a field: neither the runtime's, nor a private one, nor an element of a number that is written down. */
  #mayBeField(node: t.MemberExpression): boolean {
    if (this.#done.has(node) || this.#lowering.isRuntime(node) || node.object.type === 'Super') return false
    return node.computed
      ? node.property.type !== 'NumericLiteral'
      : isName(node.property) && node.property.name !== 'length'
  }

  /**
   * Object and key of a property, evaluated before the stop.
   * @param isCopied whether a variable may change before they are used
   */
  #held(
    node: t.MemberExpression,
    isCopied: boolean,
  ): { readonly before: t.Expression[]; readonly object: t.Expression; readonly key: t.Expression } {
    const before: t.Expression[] = []
    const isSimple = !node.computed || isName(node.property) || isConstant(node.property)
    const hold = (part: t.Expression): t.Expression => {
      if (
        isConstant(part) ||
        (part.type === 'Identifier' && ((isSimple && !isCopied) || this.#isNeverAssigned(part.name)))
      )
        return part
      const id = this.#variable()
      before.push(t.assignmentExpression('=', id, part))
      return id
    }
    const object = hold(node.object as t.Expression)
    const key = node.computed
      ? hold(node.property as t.Expression)
      : t.stringLiteral((node.property as t.Identifier).name)
    return { before, object, key }
  }

  #isNeverAssigned(name: string): boolean {
    return this.#path.scope.getBinding(name)?.constant ?? false
  }

  #stopAt(at: t.Node, object: t.Expression, key: t.Expression, isWrite: boolean): t.Expression {
    return this.#label(at, 'stops', [t.cloneNode(object), t.cloneNode(key), t.booleanLiteral(isWrite)])
  }

  #member(node: t.MemberExpression, object: t.Expression, key: t.Expression): t.MemberExpression {
    const made = t.memberExpression(
      t.cloneNode(object),
      node.computed ? t.cloneNode(key) : t.cloneNode(node.property as t.Identifier),
      node.computed,
    )
    made.loc = node.loc ?? null
    this.#done.add(made)
    return made
  }

  #assign(at: t.Node, target: t.MemberExpression, value: t.Expression): t.AssignmentExpression {
    const made = t.assignmentExpression('=', target, value)
    made.loc = at.loc ?? null
    this.#done.add(made)
    return made
  }

  #replace(path: NodePath<t.Expression>, expressions: readonly t.Expression[]): void {
    const sequence = t.sequenceExpression([...expressions])
    sequence.loc = path.node.loc ?? null
    path.replaceWith(sequence)
    path.skip()
  }
}

function isName(node: t.Node): node is t.Identifier {
  return node.type === 'Identifier'
}

/** Whether an expression has the same value whenever it is evaluated. */
function isConstant(node: t.Node): boolean {
  return (
    (t.isLiteral(node) && node.type !== 'TemplateLiteral' && node.type !== 'RegExpLiteral') ||
    node.type === 'ThisExpression'
  )
}

/** Whether a property is not read where it stands: it is assigned, deleted or called, or a loop puts a value into it. */
function isTarget({ parent, key }: NodePath): boolean {
  switch (parent.type) {
    case 'CallExpression':
      return key === 'callee'
    case 'TaggedTemplateExpression':
      return key === 'tag'
    case 'AssignmentExpression':
    case 'ForOfStatement':
    case 'ForInStatement':
      return key === 'left'
    case 'UnaryExpression':
      return parent.operator === 'delete'
    case 'UpdateExpression':
      return true
    default:
      return false
  }
}

/** Whether something lies in a form that control cannot leave and come back to. */
function isClosed(path: NodePath): boolean {
  for (let at: NodePath | null = path; at && !at.isStatement(); at = at.parentPath) {
    if (
      at.isOptionalMemberExpression() ||
      at.isOptionalCallExpression() ||
      at.isTaggedTemplateExpression() ||
      at.isPattern()
    )
      return true
  }
  return false
}

/** Whether evaluating an expression may access fields where no stop is. */
function isOpaque(expression: NodePath, lowering: Lowering): boolean {
  let found = false
  const look = (inner: NodePath): void => {
    if (inner.isCallExpression()) {
      if (inner.parent.type === 'YieldExpression' || lowering.isRuntime(inner.node.callee)) return
    } else if (inner.isSpreadElement() && inner.parent.type !== 'ObjectExpression') return
    found = true
  }
  const OPAQUE =
    'CallExpression|NewExpression|OptionalMemberExpression|OptionalCallExpression|TaggedTemplateExpression|Pattern|SpreadElement'
  expression.traverse({ Function: (inner: NodePath) => inner.skip(), [OPAQUE]: look } as never)
  if (OPAQUE.split('|').includes(expression.type)) look(expression)
  const { parent } = expression
  return (
    found ||
    (parent.type === 'VariableDeclarator' && parent.id.type !== 'Identifier') ||
    (parent.type === 'AssignmentExpression' && t.isPattern(parent.left))
  )
}
