// Numbers of reports: the report's schema is derived from the types, and reads their ranges here.

/**
 * A count or a number of something: whole, from 0.
 * @asType integer
 * @minimum 0
 */
export type Count = number

/**
 * A number of something that is counted from 1.
 * @asType integer
 * @minimum 1
 */
export type Ordinal = number

/**
 * A measured amount: from 0.
 * @minimum 0
 */
export type Amount = number
