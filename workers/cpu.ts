import { checks } from '../checks/index.ts'
import { type CpuTask, LiveCpu, type LiveData } from '../src/live/live-cpu.ts'
import { threadData } from '../src/threads/threads.ts'

const data = threadData<LiveData>()

/** One live CPU, until the threads are to end. */
export default function run(task: CpuTask): void {
  new LiveCpu(data, task, checks).run()
}
