import { ACTOR, COMMAND, CONTROL, COORDINATOR, FLAG, STANDING, actorWords } from './buffers.ts'

/** Unwinds an actor whose round is over, or whose thread is to end. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned'
}

/**
 * Who runs, who is blocked, who stands at a point: the part of the control buffer that all threads change. An actor that
 * is let continue counts as running from the moment it is, so that no one running means that nothing will happen any more.
 */
export class Roster {
  readonly #words: Int32Array
  readonly #actors: number
  /** The actor of this thread; -1 on the coordinating one. */
  readonly #me: number
  /** Called by the last thread that came to stand. */
  onStandstill: () => void = () => {}
  /** Called by a blocked actor that is asked what it waits for. */
  onAsked: () => void = () => {}
  #answered = 0
  #asks = 0

  constructor(control: SharedArrayBuffer, actors: number, me: number) {
    this.#words = new Int32Array(control)
    this.#actors = actors
    this.#me = me
  }

  /** Whether threads are to end. */
  get isEnding(): boolean {
    return (this.flags & FLAG.end) !== 0
  }

  get flags(): number {
    return Atomics.load(this.#words, CONTROL.flags)
  }

  /** Sets a flag, and has every standing actor look at it. */
  #raise(flag: number): void {
    Atomics.or(this.#words, CONTROL.flags, flag)
    for (let actor = 0; actor < this.#actors; actor++) {
      this.#rouse(actor)
      this.#nudge(actor)
      this.command(actor, COMMAND.lookAround)
    }
    Atomics.notify(this.#words, CONTROL.flags)
    Atomics.notify(this.#words, CONTROL.running)
  }

  /** The round is over: programs are left where they stand. */
  callOver(): void {
    if ((this.flags & FLAG.over) === 0) this.#raise(FLAG.over)
  }

  /** The threads are to end. */
  callEnd(): void {
    this.#raise(FLAG.end)
    Atomics.add(this.#words, CONTROL.round, 1)
    Atomics.notify(this.#words, CONTROL.round)
  }

  /** Tells a standing actor what to do, unless it has been told something that it has not done yet. */
  command(actor: number, command: number): void {
    const at = actorWords(actor) + ACTOR.command
    Atomics.compareExchange(this.#words, at, COMMAND.none, command)
    Atomics.notify(this.#words, at)
  }

  /** Begins a round, while no thread runs: each runs its program from the start. @param mustFinish how many actors have to finish before it is over */
  beginRound(mustFinish: number): void {
    const words = this.#words
    for (let actor = 0; actor < this.#actors; actor++) {
      const at = actorWords(actor)
      Atomics.store(words, at + ACTOR.command, COMMAND.none)
      Atomics.store(words, at + ACTOR.standing, STANDING.running)
    }
    Atomics.and(words, CONTROL.flags, ~FLAG.over)
    Atomics.store(words, CONTROL.ticket, 0)
    Atomics.store(words, CONTROL.faulty, 0)
    Atomics.store(words, CONTROL.remaining, mustFinish)
    Atomics.store(words, CONTROL.running, this.#actors)
    Atomics.add(words, CONTROL.round, 1)
    Atomics.notify(words, CONTROL.round)
  }

  /** Whether the caller is the one to close a round that is over: of several who find it so, one is. */
  mayClose(round: number): boolean {
    return Atomics.compareExchange(this.#words, CONTROL.closed, round - 1, round) === round - 1
  }

  /** Whether a round is closed and the next one has not begun: no thread runs, and all are about to. */
  get isBetweenRounds(): boolean {
    return Atomics.load(this.#words, CONTROL.closed) === Atomics.load(this.#words, CONTROL.round)
  }

  /** Waits for another round than the one that has number `last`, and gives its number; null: the thread is to end. */
  awaitRound(last: number): number | null {
    for (let now = Atomics.load(this.#words, CONTROL.round); ; now = Atomics.load(this.#words, CONTROL.round)) {
      if (this.isEnding) return null
      if (now !== last) return now
      Atomics.wait(this.#words, CONTROL.round, last)
    }
  }

  standing(actor: number): number {
    return Atomics.load(this.#words, actorWords(actor) + ACTOR.standing)
  }

  /** Whether every actor stands in one of some ways. */
  allStand(...ways: readonly number[]): boolean {
    for (let actor = 0; actor < this.#actors; actor++) if (!ways.includes(this.standing(actor))) return false
    return true
  }

  get running(): number {
    return Atomics.load(this.#words, CONTROL.running)
  }

  /** At a point: stands still while another thread has stopped all. @throws Abandoned */
  pass(): void {
    const flags = this.flags
    if (flags === 0) return
    if ((flags & (FLAG.over | FLAG.end)) !== 0) throw new Abandoned('the round is over')
    if ((flags & FLAG.stop) === 0) return
    this.#stand(STANDING.parked)
    for (;;) {
      for (let now = this.flags; (now & FLAG.stop) !== 0 && (now & FLAG.end) === 0; now = this.flags)
        Atomics.wait(this.#words, CONTROL.flags, now)
      this.#resume()
      if ((this.flags & FLAG.stop) === 0 || (this.flags & FLAG.end) !== 0) break
      this.#stand(STANDING.parked)
    }
    if ((this.flags & (FLAG.over | FLAG.end)) !== 0) throw new Abandoned('the round is over')
  }

  /** Stands until `isOver`; `word` of the control buffer changes before that, and its waiters are notified. */
  standWhile(standing: number, word: number, isOver: () => boolean): void {
    this.#stand(standing)
    for (;;) {
      const now = Atomics.load(this.#words, word)
      if (isOver() || (this.flags & FLAG.end) !== 0) break
      Atomics.wait(this.#words, word, now)
    }
    this.#resume()
  }

  /** Says that the actor is blocked. What it watches is still locked: no one has overlooked it. */
  block(): void {
    Atomics.store(this.#words, this.#own(ACTOR.standing), STANDING.blocked)
    Atomics.add(this.#words, this.#own(ACTOR.blocks), 1)
  }

  /** After {@link block}: sleeps until another thread changes a field that the actor watches. Returns at once when that has happened. */
  sleep(): void {
    this.#leave()
    const wake = this.#own(ACTOR.wake)
    for (;;) {
      const now = Atomics.load(this.#words, wake)
      if (Atomics.load(this.#words, this.#own(ACTOR.standing)) !== STANDING.blocked) return
      if ((this.flags & (FLAG.over | FLAG.end)) !== 0) return this.#rouse(this.#me)
      this.#answer()
      Atomics.wait(this.#words, wake, now)
    }
  }

  /** Lets blocked actors look again at what they watch. @param mask a bit an actor */
  wake(mask: number): void {
    for (let actor = 0; mask >> actor !== 0; actor++) {
      if (((mask >> actor) & 1) === 0) continue
      this.#rouse(actor)
      this.#nudge(actor)
    }
  }

  /** Asks blocked actors what they wait for, while no one runs; {@link askNoMore} once all have answered. */
  ask(): void {
    this.#asks++
    Atomics.store(this.#words, CONTROL.asked, this.#asks)
    for (let actor = 0; actor < this.#actors; actor++) this.#nudge(actor)
  }

  /** Whoever is blocked from here on answers nothing. */
  askNoMore(): void {
    Atomics.store(this.#words, CONTROL.asked, 0)
  }

  /** The actor has finished, or was left where it stood. */
  finish(): void {
    this.#stand(STANDING.finished)
  }

  /**
   * Waits until every other actor stands at a point, and keeps them there until {@link resume}; false when another thread
   * is about that. The caller counts as running, and must have no field locked.
   */
  tryStop(): boolean {
    if (Atomics.compareExchange(this.#words, CONTROL.stopper, 0, this.#me + 1) !== 0) return false
    Atomics.or(this.#words, CONTROL.flags, FLAG.stop)
    for (let now = this.running; now > 1 && (this.flags & FLAG.end) === 0; now = this.running)
      Atomics.wait(this.#words, CONTROL.running, now)
    return true
  }

  /** From the coordinating thread: begins to stop all threads, unless another one does; the last thread that stands still says so. */
  beginStop(): boolean {
    if (Atomics.compareExchange(this.#words, CONTROL.stopper, 0, COORDINATOR) !== 0) return false
    Atomics.or(this.#words, CONTROL.flags, FLAG.stop)
    return true
  }

  /** Lets those continue who were stopped. */
  resume(): void {
    Atomics.and(this.#words, CONTROL.flags, ~FLAG.stop)
    Atomics.store(this.#words, CONTROL.stopper, 0)
    Atomics.notify(this.#words, CONTROL.flags)
  }

  #own(word: number): number {
    return actorWords(this.#me) + word
  }

  #stand(standing: number): void {
    Atomics.store(this.#words, this.#own(ACTOR.standing), standing)
    this.#leave()
  }

  #resume(): void {
    Atomics.store(this.#words, this.#own(ACTOR.standing), STANDING.running)
    Atomics.add(this.#words, CONTROL.running, 1)
  }

  #leave(): void {
    const left = Atomics.sub(this.#words, CONTROL.running, 1) - 1
    if ((this.flags & FLAG.stop) !== 0) Atomics.notify(this.#words, CONTROL.running)
    if (left === 0) this.onStandstill()
  }

  /** A blocked actor counts as running from here on: it is counted first, lest no one seem to run when it continues at once. */
  #rouse(actor: number): void {
    const at = actorWords(actor) + ACTOR.standing
    if (Atomics.load(this.#words, at) !== STANDING.blocked) return
    Atomics.add(this.#words, CONTROL.running, 1)
    if (Atomics.compareExchange(this.#words, at, STANDING.blocked, STANDING.running) !== STANDING.blocked) this.#leave()
  }

  #nudge(actor: number): void {
    const at = actorWords(actor) + ACTOR.wake
    Atomics.add(this.#words, at, 1)
    Atomics.notify(this.#words, at)
  }

  #answer(): void {
    const asked = Atomics.load(this.#words, CONTROL.asked)
    if (asked === 0 || asked === this.#answered) return
    this.#answered = asked
    this.onAsked()
  }
}
