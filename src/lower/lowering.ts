import { type NodePath, types as t } from '@babel/core'
import { Refusal } from '../source/refusal.ts'
import { type SiteKind, SiteTable } from '../source/sites.ts'

/** Name of the runtime in lowered code. */
export const RUNTIME = '__vmcheck'
/** Name of the explicit `this` in lifted methods. */
export const THIS = '__vmcheck_this'
/** Name of a file's base in the table of sites. */
export const SITES = '__vmcheck_sites'

/** What the passes over one file share. */
export class Lowering {
  readonly file: string
  readonly table: SiteTable = new SiteTable()
  /** Nodes made by the lowering, which it does not lower again. */
  readonly ours: WeakSet<t.Node> = new WeakSet()
  /** Names of functions that lost theirs. */
  readonly names: WeakMap<t.Node, string> = new WeakMap()
  /** Whether the file is a user's: its branches are counted for coverage. */
  readonly counted: boolean

  constructor(file: string, counted: boolean) {
    this.file = file
    this.counted = counted
  }

  /** A refusal at a node's place. */
  refuse(node: t.Node, message: string): Refusal {
    const start = node.loc?.start
    return new Refusal(message, start ? { file: this.file, line: start.line, column: start.column + 1 } : null)
  }

  /** An expression for the number of a new site. */
  site(node: t.Node, kind: SiteKind): t.Expression {
    return t.binaryExpression('+', t.identifier(SITES), t.numericLiteral(this.table.add(node, kind)))
  }

  /** `__vmcheck.<member>` */
  runtime(member: string): t.MemberExpression {
    return t.memberExpression(t.identifier(RUNTIME), t.identifier(member))
  }

  /** Whether an expression is a member of the runtime. */
  isRuntime(node: t.Node): boolean {
    return node.type === 'MemberExpression' && node.object.type === 'Identifier' && node.object.name === RUNTIME
  }

  /** A statement that calls the runtime. */
  call(member: string, ...args: t.Expression[]): t.Statement {
    const statement = t.expressionStatement(t.callExpression(this.runtime(member), args))
    this.ours.add(statement)
    return statement
  }

  /** A name not used in the path's scope. */
  uid(path: NodePath, name: string): t.Identifier {
    return path.scope.generateUidIdentifier(name)
  }
}
