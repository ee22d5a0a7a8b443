/** Characters that move a terminal's cursor, ring its bell, or turn the direction of what follows. */
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** A text of a model's as a terminal or page may show it: control characters, line breaks and tabs apart, become `\\u001b` and the like. */
export function cleaned(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The same of a text whose colours are vmcheck's own. */
export function cleanedButColours(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .split(/(\u001b\[[\d;]*m)/)
      .map((part, i) => (i % 2 === 1 ? part : cleaned(part)))
      .join('')
  )
}

/** A text of a model's in one line. */
export function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, '\\n')
}

/** `a, b and c`. */
export function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

/** `an error`, `a Map`. */
export function article(word: string): string {
  return `${/^[AEIOU]/i.test(word) ? 'an' : 'a'} ${word}`
}
