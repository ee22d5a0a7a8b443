/** The public entry `vmcheck/vm`: the simulated machine. */
export { KernelMap, type KernelMapOptions, type MapEntry, MapEntryStruct } from './kernel-map.ts'
export { Mutex } from './mutex.ts'
export { type Page, type PageSlot, PageStore, type PageStoreOptions, type VmObject, VmObjectStruct } from './page-store.ts'
export { SleepLock } from './sleep-lock.ts'
export { WaitChannel } from './wait-channel.ts'
