/** One protocol at one size, written for every tool. */
export interface Workload {
  readonly name: string
  /** File in bench/models, and that of bench/spin and bench/murphi. */
  readonly protocol: string
  /** Parameters of the model. */
  readonly settings: Readonly<Record<string, number>>
  /** Constants of the other tools' texts. */
  readonly constants: Readonly<Record<string, number>>
  /** Further definitions for Promela, where a guard would need a loop. */
  readonly promela?: string
  /** Steps that a depth-first search may be deep. */
  readonly depth: number
  /** Of a known set of protocols, over which means are taken. */
  readonly isKnown: boolean
  /** Only vmcheck runs it, with one worker and with two: the others would take minutes each time. */
  readonly isOwn: boolean
}

function sized(
  protocol: string,
  settings: Readonly<Record<string, number>>,
  constants: Readonly<Record<string, number>>,
  depth: number,
  rest: Partial<Workload> = {},
): Workload {
  const size = Object.values(constants).join(',')
  return { name: `${protocol}(${size})`, protocol, settings, constants, depth, isKnown: true, isOwn: false, ...rest }
}

function cow(cpus: number, frames: number, depth: number): Workload {
  const entries = Array.from({ length: cpus * frames }, (_, i) => `copied[${i}]`)
  const counts = Array.from({ length: frames }, (_, i) => `assert(references[${i}] == 1); references[${i}] = P`)
  const promela = `#define ALL_COPIED ${entries.join(' && ')}\n#define SHARE_AGAIN ${[...counts, ...entries.map((entry) => `${entry} = false`)].join('; ')}\n`
  return sized('cow', { cpus, frames }, { P: cpus, F: frames }, depth, { promela })
}

const phil = (n: number, depth: number): Workload => sized('phil', { n }, { N: n }, depth)
const filter = (n: number, depth: number): Workload => sized('filter', { n }, { N: n }, depth)
const wire = (threads: number, pages: number, depth: number): Workload =>
  sized('wire', { threads, pages }, { T: threads, P: pages }, depth)
const readers = (n: number, depth: number): Workload => sized('readers', { n }, { N: n }, depth, { isKnown: false })
const ring = (n: number, depth: number): Workload => sized('ring', { n }, { N: n }, depth, { isKnown: false })

/** All workloads: the small ones (under a million states), the large ones, and those of ten million states and more. */
export const WORKLOADS: readonly Workload[] = [
  phil(11, 1e6),
  filter(4, 1e6),
  cow(3, 4, 1e6),
  wire(4, 2, 1e6),
  wire(6, 1, 1e6),
  readers(9, 1e6),
  ring(13, 1e6),
  phil(13, 2e6),
  cow(4, 3, 2e6),
  phil(14, 6e6),
  wire(7, 1, 1e7),
  readers(11, 6e6),
  ring(16, 8e6),
  { ...phil(15, 0), isOwn: true },
  { ...readers(12, 0), isOwn: true },
  { ...ring(17, 0), isOwn: true },
]
