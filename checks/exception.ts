import { faultCheck } from './fault.ts'
import type { Check } from '../src/index.ts'

/** A program let an exception out. */
export const exception: Check = faultCheck('exception', 'programs do not throw')
