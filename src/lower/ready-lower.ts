import { loadLower } from './packed-lower.ts'

/** Lowers one file: `lower.ts` as it is packed, which the packed command has in its place. */
export const { lower } = loadLower()
