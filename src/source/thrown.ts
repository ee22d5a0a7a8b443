// What was thrown by code of a model, which makes errors as it likes: reading them may throw again.

/** A name and a message for whatever was thrown. */
export interface Words {
  readonly name: string
  readonly message: string
}

const UNREADABLE: Words = { name: 'thrown', message: 'an error that cannot be read' }

/** What an error says of itself; of anything else that was thrown, what it is as a text. */
export function wordsOf(error: unknown): Words {
  try {
    const { name, message } = error instanceof Error ? error : { name: 'thrown', message: String(error) }
    return { name: String(name), message: String(message) }
  } catch {
    return UNREADABLE
  }
}

/** `Error: what is wrong`. */
export function wording(error: unknown): string {
  const { name, message } = wordsOf(error)
  return `${name}: ${message}`
}

/** An error's stack; empty for what has none. */
export function stackOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack ?? '') : ''
  } catch {
    return '' // V8 makes its text when it is first asked for, out of the message
  }
}

/** Whether something thrown is an error of some class: asking a proxy may throw. */
export function isKind<T>(error: unknown, type: abstract new (...given: never[]) => T): error is T {
  try {
    return error instanceof type
  } catch {
    return false
  }
}

/** Whether something thrown is an error of a class of JavaScript's whose message reads so. */
export function isErrorOf(type: ErrorConstructor, message: RegExp, error: unknown): boolean {
  try {
    return error instanceof type && message.test(error.message)
  } catch {
    return false
  }
}
