import { workerData } from 'node:worker_threads'
import { checks } from '../checks/index.ts'
import { type CpuTask, LiveCpu, type LiveData } from '../src/live/live-cpu.ts'

/** One live CPU, until the threads are to end. */
export default function run(task: CpuTask): void {
  new LiveCpu(workerData as LiveData, task, checks).run()
}
