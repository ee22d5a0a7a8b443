import { faultCheck } from './fault.ts'
import type { Check } from '../src/index.ts'

/** `m.assert` in a program failed. */
export const assertion: Check = faultCheck('assertion', 'assertions in programs hold')
