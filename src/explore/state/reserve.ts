/** Bytes above which the C library asks the system for memory of its own and gives it back as a whole (glibc, DEFAULT_MMAP_THRESHOLD_MAX). */
const MAPPED = 2 ** 25 + 2 ** 16

/**
 * Shared memory of at least some bytes, all zero, which costs nothing until it is touched.
 *
 * Never less than what the C library maps afresh: smaller blocks it clears by hand and keeps in pieces when they are
 * freed, so that searches that follow each other in one process took twice as long, most of it in the collector, which
 * was called for memory that it could not give back.
 */
export function reserve(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.max(bytes, MAPPED))
}
