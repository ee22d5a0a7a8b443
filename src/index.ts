/** The public entry `vmcheck`: what a model's author writes with. */
export {
  type Actor,
  type ActorOptions,
  type Lockable,
  type Cpu,
  type CpuState,
  type ThreadOptions,
  type ThreadState,
  actors,
  cpus,
} from './model/actor.ts'
export {
  type AccessMode,
  type FieldType,
  type Naming,
  type Referable,
  type Role,
  bool,
  event,
  holding,
  internal,
  oneOf,
  published,
  queueing,
  range,
  ref,
  setOf,
  shown,
  starting,
  u,
  u1,
  u16,
  u2,
  u3,
  u4,
  u8,
  volatile,
} from './model/field.ts'
export { admitting } from './semantics/dispatch.ts'
export {
  type AtomicContext,
  type Blocked,
  type Check,
  type Finding,
  type Held,
  type Leftover,
  type Occasion,
  type Race,
  type Sleeping,
  type StateView,
} from './model/check.ts'
export { leftOver, sleepsInAtomic } from './semantics/faults.ts'
export { type Fault } from './model/memory.ts'
export { type ArrayOptions, type Machine } from './model/machine.ts'
export { type Interchangeable, type Member } from './model/machine-parts.ts'
export { type PropertyResult, type Property, type PropertyForm } from './model/property.ts'
export { type PerActor } from './model/per-actor.ts'
export {
  type Expectation,
  type KnownViolation,
  type Model,
  type ModelDefinition,
  ModelError,
  type Scenario,
  type ScenarioDefinition,
  model,
} from './model/model.ts'
export {
  Operation,
  type Primitive,
  type PrimitiveClass,
  type Program,
  type SyncObject,
  type WhenOptions,
  atomically,
  pause,
  readOnce,
  when,
} from './model/operation.ts'
export {
  type Choice,
  type Parameter,
  ParameterError,
  type Parameters,
  type ParameterValues,
  boolean,
  choice,
  int,
} from './model/parameters.ts'
export { type Pool, type PoolOptions, type Reuse } from './model/pool.ts'
export { type Instance, type StructType, struct } from './model/struct.ts'
export { type Verdict, type ViolationKind } from './model/verdict.ts'
