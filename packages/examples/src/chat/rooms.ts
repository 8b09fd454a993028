/**
 * The rooms of the chat: who is in them, what was said, and what happens now.
 *
 * The rooms know no door. A door (lines over TCP, a page over WebSocket) is a
 * Layer that joins people to a room, hands on what they say, and shows them
 * its events. What enters by one door leaves by all.
 *
 * Nobody waits for anybody: each person has a queue of events with a bound,
 * and who lets it fill up is dropped, and told of to the others.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Event, Resident, Said } from "./room-event.ts"

/** The room that is always there, and where people come in unless they say otherwise. */
export const lobby = "lobby"

/** The longest name of a person or a room, in characters. */
export const maxNameChars = 20

/** The longest thing that can be said, in UTF-16 units, which is how the pages of browsers count. */
export const maxTextChars = 1024

export class RoomFull extends Data.TaggedError("RoomFull")<{ readonly maxPeople: number }> {
  override get message() {
    return `the room is full: ${this.maxPeople} people are here`
  }
}

export class RoomRefused extends Data.TaggedError("RoomRefused")<{
  readonly reason: "invalid" | "unknown" | "too many"
}> {
  override get message() {
    if (this.reason === "invalid") return `a room's name is ${nameRule}`
    return this.reason === "unknown" ? "there is no such room" : "there are too many rooms"
  }
}

export class NameRefused extends Data.TaggedError("NameRefused")<{ readonly reason: "invalid" | "taken" }> {
  override get message() {
    return this.reason === "taken" ? "somebody here has that name" : `a name is ${nameRule}`
  }
}

export class TextRefused extends Data.TaggedError("TextRefused")<{ readonly reason: "empty" | "too long" }> {
  override get message() {
    return this.reason === "empty" ? "there is nothing to say in that" : `at most ${maxTextChars} characters at once`
  }
}

/** The person did not take events as fast as they came. */
export class TooSlow extends Data.TaggedError("TooSlow")<{ readonly waitingCount: number }> {}

/** The person came in again by another connection. */
export class Replaced extends Data.TaggedError("Replaced") {}

/** Somebody in a room, as their door sees them. */
export interface Person {
  readonly name: Effect.Effect<string>
  readonly room: Effect.Effect<string>
  /** `Entered` first, then what others do. Their own doings too, when they joined with `hearsSelf`. */
  readonly events: Queue.Dequeue<Event>
  /** Fails when the person is dropped. Race it: whoever is too slow has a door that hangs in sending. */
  readonly dropped: Effect.Effect<never, TooSlow | Replaced>
  /** Says one line; control characters are taken out. */
  readonly say: (text: string) => Effect.Effect<void, TextRefused>
  readonly rename: (name: string) => Effect.Effect<void, NameRefused>
  /** Goes to a room, which is made if it is not there. */
  readonly move: (room: string) => Effect.Effect<void, RoomFull | RoomRefused>
}

export interface JoinOptions {
  /** The door's name, such as `tcp`. */
  readonly door: string
  /** Default: `guest-` and a number. */
  readonly name?: string | undefined
  /** Made if it is not there. Default: the lobby. */
  readonly room?: string | undefined
  /** Default `false`: a terminal shows what its user has typed. */
  readonly hearsSelf?: boolean | undefined
  /**
   * A secret of the client's own. Who comes again with the same name and key
   * takes the place of a connection that was lost, and that nobody has missed
   * yet. Default: none, and the name is taken until the server misses it.
   */
  readonly key?: string | undefined
}

/** What went through one door since the start. */
export interface DoorCounts {
  readonly door: string
  /** People who are in by it now. */
  readonly here: number
  /** Things said that came in by it. */
  readonly received: number
  /** Things said that went out by it: one for each person. */
  readonly sent: number
}

export class Rooms extends Context.Service<
  Rooms,
  {
    /** Comes in; closing the scope leaves. */
    readonly join: (options: JoinOptions) => Effect.Effect<Person, RoomFull | RoomRefused | NameRefused, Scope.Scope>
    /** Says something without being there: for doors such as REST. The name must be nobody's who is. */
    readonly publish: (options: {
      readonly from: string
      readonly text: string
      readonly door: string
      readonly room?: string | undefined
    }) => Effect.Effect<void, NameRefused | TextRefused | RoomRefused>
    /** The rooms that are there, in the order in which they were made, the lobby first. */
    readonly list: Effect.Effect<ReadonlyArray<{ readonly name: string; readonly people: number }>>
    /** Nobody, for a room that is not there. */
    readonly people: (room: string) => Effect.Effect<ReadonlyArray<Resident>>
    /** What was said, the oldest first; nothing, for a room that is not there. */
    readonly history: (room: string) => Effect.Effect<ReadonlyArray<Said>>
    readonly doors: Effect.Effect<ReadonlyArray<DoorCounts>>
  }
>()("@sluice/examples/chat/Rooms") {}

export interface Options {
  /** Rooms at once. One that nobody is in is forgotten when its place is needed. Default 20. */
  readonly maxRooms?: number | undefined
  /** People in one room. Default 100. */
  readonly maxPeople?: number | undefined
  /** Things said that are remembered of one room. Default 100. */
  readonly maxHistory?: number | undefined
  /** Events that may wait for one person; with one more they are dropped. Default 256. */
  readonly maxWaiting?: number | undefined
}

export const layer = (options?: Options): Layer.Layer<Rooms> => Layer.effect(Rooms)(make(options))

export const make = (options?: Options): Effect.Effect<Rooms["Service"]> =>
  Effect.sync(() => Rooms.of(new LiveRooms(options)))

/** Everything happens in one turn, so no two people get the same name, and everyone sees events in one order. */
class LiveRooms {
  private readonly maxRooms: number
  private readonly maxPeople: number
  private readonly maxHistory: number
  private readonly maxWaiting: number
  private readonly present = new Map<string, Present>()
  private readonly rooms = new Map<string, LiveRoom>()
  private readonly counts = new Map<string, Counts>()
  private guests = 0

  constructor(options?: Options) {
    this.maxRooms = options?.maxRooms ?? 20
    this.maxPeople = options?.maxPeople ?? 100
    this.maxHistory = options?.maxHistory ?? 100
    this.maxWaiting = options?.maxWaiting ?? 256
    this.rooms.set(lobby, { name: lobby, present: new Set(), said: [] })
  }

  readonly list = Effect.sync(() =>
    [...this.rooms.values()].map(({ name, present }) => ({ name, people: present.size }))
  )

  readonly people = (room: string) => Effect.sync(() => residents(this.rooms.get(keyOf(room))))

  readonly history = (room: string) =>
    Effect.sync((): ReadonlyArray<Said> => [...(this.rooms.get(keyOf(room))?.said ?? [])])

  readonly doors = Effect.sync(() =>
    [...this.counts].map(([door, { received, sent }]) => ({
      door,
      here: [...this.present.values()].filter((person) => person.door === door).length,
      received,
      sent
    }))
  )

  readonly publish: Rooms["Service"]["publish"] = ({ from, text, door, room = lobby }) =>
    Effect.suspend((): Effect.Effect<void, NameRefused | TextRefused | RoomRefused> => {
      const name = this.claim(from)
      if (name instanceof NameRefused) return Effect.fail(name)
      const open = this.rooms.get(keyOf(room))
      return open === undefined ? Effect.fail(new RoomRefused({ reason: "unknown" })) : this.say(open, name, text, door)
    })

  readonly join: Rooms["Service"]["join"] = (options) =>
    Effect.map(
      Effect.acquireRelease(this.enter(options), (person) => this.leave(person)),
      (person): Person => ({
        name: Effect.sync(() => person.name),
        room: Effect.sync(() => person.room.name),
        events: person.events,
        dropped: Deferred.await(person.dropped),
        say: (text) => Effect.suspend(() => this.say(person.room, person.name, text, person.door, person)),
        rename: (name) => this.rename(person, name),
        move: (room) => this.move(person, room)
      })
    )

  private enter(options: JoinOptions): Effect.Effect<Present, RoomFull | RoomRefused | NameRefused> {
    return Effect.flatMap(
      Queue.dropping<Event>(this.maxWaiting),
      (events): Effect.Effect<Present, RoomFull | RoomRefused | NameRefused> => {
        const { door, key, hearsSelf = false } = options
        const name = this.claim(options.name ?? this.freeGuestName(), undefined, key)
        if (name instanceof NameRefused) return Effect.fail(name)
        const ghost = this.present.get(keyOf(name))
        if (ghost !== undefined) this.drop(ghost, "left", new Replaced())
        const room = this.open(options.room ?? lobby)
        if (isRefused(room)) return Effect.fail(room)
        const dropped = Deferred.makeUnsafe<never, TooSlow | Replaced>()
        const person: Present = { name, door, key, hearsSelf, events, dropped, room }
        this.present.set(keyOf(name), person)
        this.countsOf(door)
        this.arrive(person, room)
        return Effect.succeed(person)
      }
    )
  }

  private leave(person: Present): Effect.Effect<void> {
    return Effect.sync(() => {
      if (!this.isPresent(person)) return
      this.present.delete(keyOf(person.name))
      this.depart(person, "left")
    })
  }

  private move(person: Present, name: string): Effect.Effect<void, RoomFull | RoomRefused> {
    return Effect.suspend(() => {
      if (!this.isPresent(person)) return Effect.void
      const room = keyOf(name) === keyOf(person.room.name) ? person.room : this.open(name)
      if (isRefused(room)) return Effect.fail(room)
      if (room !== person.room) this.depart(person, "moved")
      this.arrive(person, room)
      return Effect.void
    })
  }

  private say(
    room: LiveRoom,
    from: string,
    text: string,
    door: string,
    by?: Present
  ): Effect.Effect<void, TextRefused> {
    return Effect.flatMap(Clock.currentTimeMillis, (atMillis) => {
      const shown = printable(text)
      if (shown === "") return Effect.fail(new TextRefused({ reason: "empty" }))
      if (shown.length > maxTextChars) return Effect.fail(new TextRefused({ reason: "too long" }))
      const said: Said = { _tag: "Said", atMillis, from, door, text: shown }
      room.said.push(said)
      if (room.said.length > this.maxHistory) room.said.shift()
      this.countsOf(door).received++
      this.tell(room, said, by)
      return Effect.void
    })
  }

  private rename(person: Present, name: string): Effect.Effect<void, NameRefused> {
    return Effect.suspend(() => {
      const claimed = this.claim(name, person)
      if (claimed instanceof NameRefused) return Effect.fail(claimed)
      const before = person.name
      if (before !== claimed && this.isPresent(person)) {
        this.present.delete(keyOf(before))
        person.name = claimed
        this.present.set(keyOf(claimed), person)
        this.tell(person.room, { _tag: "Renamed", before, name: claimed }, person)
      }
      return Effect.void
    })
  }

  /** The name in its one form, when it may be taken by `person`. In the same turn in which it is taken. */
  private claim(name: string, person?: Present, key?: string): string | NameRefused {
    const normal = name.normalize("NFC")
    if (!namePattern.test(normal)) return new NameRefused({ reason: "invalid" })
    const holder = this.present.get(keyOf(normal))
    const isFree = holder === undefined || holder === person || (key !== undefined && holder.key === key)
    return isFree ? normal : new NameRefused({ reason: "taken" })
  }

  private freeGuestName(): string {
    this.guests++
    while (this.present.has(`guest-${this.guests}`)) this.guests++
    return `guest-${this.guests}`
  }

  /** The room of that name, or a new one that is in no list until somebody arrives. */
  private open(name: string): LiveRoom | RoomFull | RoomRefused {
    const normal = name.normalize("NFC")
    if (!namePattern.test(normal)) return new RoomRefused({ reason: "invalid" })
    const room = this.rooms.get(keyOf(normal))
    if (room !== undefined)
      return room.present.size < this.maxPeople ? room : new RoomFull({ maxPeople: this.maxPeople })
    return this.rooms.size < this.maxRooms || this.oldestEmpty() !== undefined
      ? { name: normal, present: new Set(), said: [] }
      : new RoomRefused({ reason: "too many" })
  }

  private oldestEmpty(): string | undefined {
    for (const [key, room] of this.rooms) if (room.present.size === 0 && key !== lobby) return key
    return undefined
  }

  private arrive(person: Present, room: LiveRoom): void {
    const { name, door } = person
    if (!this.rooms.has(keyOf(room.name))) {
      if (this.rooms.size >= this.maxRooms) this.rooms.delete(this.oldestEmpty() ?? "")
      this.rooms.set(keyOf(room.name), room)
    }
    const isNew = !room.present.has(person)
    room.present.add(person)
    person.room = room
    const entered: Event = {
      _tag: "Entered",
      room: room.name,
      name,
      people: residents(room),
      history: [...room.said]
    }
    if (!this.deliver(person, entered)) this.dropSlow(person)
    else if (isNew) this.tell(room, { _tag: "Joined", name, door }, person)
  }

  private depart(person: Present, reason: "left" | "moved" | "too slow"): void {
    const { room, name } = person
    room.present.delete(person)
    this.tell(room, { _tag: "Left", name, reason })
    // A room is kept for what was said in it.
    const isForgotten = room.present.size === 0 && room.said.length === 0 && room.name !== lobby
    if (isForgotten) this.rooms.delete(keyOf(room.name))
  }

  /** Waits for nobody: who has no room for the event is dropped, when all others have it. */
  private tell(room: LiveRoom, event: Event, by?: Present): void {
    const listeners = [...room.present].filter((person) => person !== by || person.hearsSelf)
    const tooSlow = listeners.filter((person) => !this.deliver(person, event))
    for (const person of tooSlow) this.dropSlow(person)
  }

  private deliver(person: Present, event: Event): boolean {
    const isTaken = Queue.offerUnsafe(person.events, event)
    if (isTaken && event._tag === "Said") this.countsOf(person.door).sent++
    return isTaken
  }

  private dropSlow(person: Present): void {
    this.drop(person, "too slow", new TooSlow({ waitingCount: this.maxWaiting }))
  }

  private drop(person: Present, reason: "left" | "too slow", error: TooSlow | Replaced): void {
    if (!this.isPresent(person)) return
    this.present.delete(keyOf(person.name))
    Deferred.doneUnsafe(person.dropped, Effect.fail(error))
    this.depart(person, reason)
  }

  private isPresent(person: Present): boolean {
    return this.present.get(keyOf(person.name)) === person
  }

  private countsOf(door: string): Counts {
    const counts = this.counts.get(door) ?? { received: 0, sent: 0 }
    this.counts.set(door, counts)
    return counts
  }
}

interface Present {
  name: string
  room: LiveRoom
  readonly door: string
  readonly key: string | undefined
  readonly hearsSelf: boolean
  readonly events: Queue.Queue<Event>
  readonly dropped: Deferred.Deferred<never, TooSlow | Replaced>
}

interface LiveRoom {
  readonly name: string
  readonly present: Set<Present>
  readonly said: Array<Said>
}

interface Counts {
  received: number
  sent: number
}

const residents = (room: LiveRoom | undefined): ReadonlyArray<Resident> =>
  [...(room?.present ?? [])].map(({ name, door }) => ({ name, door }))

const isRefused = (room: LiveRoom | RoomFull | RoomRefused): room is RoomFull | RoomRefused => room instanceof Error

const nameRule = `1 to ${maxNameChars} letters, digits, - and _, and begins with a letter or digit`

/** No `*`, no spaces: a name can stand in no line as anything but a name. */
const namePattern = new RegExp(`^[\\p{L}\\p{N}][\\p{L}\\p{N}_-]{0,${maxNameChars - 1}}$`, "u")

/** `Ann` and `ann` are one name, and so are forms of a letter that look the same. */
const keyOf = (name: string): string => name.normalize("NFKC").toLowerCase()

/**
 * Control characters could move the cursor, change colours or the title of a
 * reader's terminal; direction marks could make a line read as another.
 */
const printable = (text: string): string =>
  text
    .replace(/\t/g, " ")
    .replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]/gu, "")
    .trim()
