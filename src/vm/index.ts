/** The public entry `vmcheck/vm`: the simulated machine. */
export {
  AddressSpace,
  type AddressSpaceOptions,
  type PageTableEntry,
  type Translation,
  showTranslation,
} from './address-space.ts'
export { CommitAccount } from './commit-account.ts'
export { FailureBudget, type FailureBudgetOptions } from './failure-budget.ts'
export { type Frame, FrameStore, type FrameStoreOptions, FrameStruct } from './frame-store.ts'
export { HandoffLock } from './handoff-lock.ts'
export { KernelMap, type KernelMapOptions, type MapEntry, MapEntryStruct } from './kernel-map.ts'
export { Mutex, type MutexOptions } from './mutex.ts'
export {
  type Page,
  type PageSlot,
  PageStore,
  type PageStoreOptions,
  type VmObject,
  VmObjectStruct,
} from './page-store.ts'
export {
  InterruptLine,
  currentCpu,
  disableInterrupts,
  disablePreemption,
  enableInterrupts,
  enablePreemption,
  thisCpu,
} from './processor.ts'
export {
  type Extent,
  type Holding,
  agreesWithReference,
  all,
  countsEqualReferences,
  locksAreFree,
  noFrameLeaked,
  noStaleTranslation,
  noTranslationToFree,
  nothingHeldIsFree,
  reachesAllocated,
  sameAs,
  tiles,
  unitsConserved,
} from './properties.ts'
export { Shootdown } from './shootdown.ts'
export { SleepLock } from './sleep-lock.ts'
export { RwSpinLock, SpinLock, type SpinLockOptions } from './spin-lock.ts'
export { WaitChannel } from './wait-channel.ts'
