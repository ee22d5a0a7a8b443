// The command runs on a thread of its own, so that code of a model can neither end the process, nor keep it from
// hearing a signal, nor write among its results. This is what the process and that thread say to each other.

/** What the thread of the command is started with: all that it may know of the process. */
export interface Surroundings {
  /** The command line, without the program's own name. */
  readonly line: readonly string[]
  readonly width: number
  readonly colour: boolean
  readonly live: boolean
  readonly cache: string | null
  readonly ci: { readonly summary: string | null } | null
}

/** What the thread of the command says to the process. */
export type FromCommand =
  | { readonly kind: 'out' | 'err'; readonly text: string }
  /** Whether a signal is to be handed to the command, because something runs that heeds it, and after how many seconds that is to have ended. */
  | { readonly kind: 'interruptible'; readonly is: boolean; readonly seconds: number }
  /** What the process said was heard: the command is on its way to an orderly end. */
  | { readonly kind: 'heard' }
  /** Standard input is wanted. */
  | { readonly kind: 'input' }
  | { readonly kind: 'done'; readonly status: number }

/** What the process says to the thread of the command: that it was interrupted; or that its time is over, to hear whether it hears. */
export type ToCommand = 'interrupt' | 'overdue'
