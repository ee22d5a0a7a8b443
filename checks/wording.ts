import type { Actor } from '../src/index.ts'

/** An actor in short: `CPU 0` where no one shares it. */
export function short(actor: Actor): string {
  return actor.cpu.state ? actor.label : actor.cpu.name
}
