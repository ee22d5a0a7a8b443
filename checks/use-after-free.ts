import { faultCheck } from './fault.ts'
import type { Check } from '../src/index.ts'

/** A pooled instance was used, or freed again, after it was freed. */
export const useAfterFree: Check = faultCheck('use-after-free', 'freed instances are not used')
