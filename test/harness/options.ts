/**
 * A number of the command line, as `--seed 3`.
 * @throws Error for what is no number
 */
export function numberOption(name: string, fallback: number): number {
  const at = process.argv.indexOf(name)
  const value = at < 0 ? fallback : Number(process.argv[at + 1])
  if (Number.isNaN(value)) throw new Error(`${name} takes a number`)
  return value
}
