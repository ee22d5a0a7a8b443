import { faultCheck } from './fault.ts'
import type { Check } from '../src/index.ts'

/** A field was given a value outside its declared range. */
export const range: Check = faultCheck('range', 'fields stay within their declared ranges')
