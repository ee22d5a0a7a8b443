/** `12,345` */
export function count(n: number): string {
  return n.toLocaleString('en-US')
}

/** `1 state`, `2 states` */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** `1.5 MB` */
export function bytes(n: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let i = 0
  let value = n
  for (; value >= 1000 && i < units.length - 1; i++) value /= 1000
  return `${i === 0 ? value : value.toFixed(1)} ${units[i]}`
}
