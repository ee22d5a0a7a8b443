/** A word of a command line as a shell takes it: in quotes where it holds anything special. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** A command line of some words that a shell takes as they are. */
export function commandLine(words: readonly string[]): string {
  return words.map((word, i) => (i === 0 ? word : quoted(word))).join(' ')
}
