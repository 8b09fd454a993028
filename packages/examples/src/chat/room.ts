/**
 * The one room of the chat: who is in it, what was said, and what happens now.
 *
 * The room knows no door. A door (lines over TCP) is a Layer that joins people
 * to the room, hands on what they say, and shows them its events. With several
 * doors, what enters by one leaves by all.
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
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/** What happens in the room: a schema, as doors send it in forms of their own. */
export const Event = Schema.Union([
  Schema.TaggedStruct("Said", {
    atMillis: Schema.Number,
    from: Schema.String,
    /** The door that it came in by. */
    door: Schema.String,
    text: Schema.String
  }),
  Schema.TaggedStruct("Joined", { name: Schema.String, door: Schema.String }),
  Schema.TaggedStruct("Left", { name: Schema.String, reason: Schema.Literals(["left", "too slow"]) }),
  Schema.TaggedStruct("Renamed", { before: Schema.String, name: Schema.String })
])
export type Event = typeof Event.Type
export type Said = Extract<Event, { readonly _tag: "Said" }>

export class RoomFull extends Data.TaggedError("RoomFull")<{ readonly maxPeople: number }> {
  override get message() {
    return `the room is full: ${this.maxPeople} people are here`
  }
}

export class NameRefused extends Data.TaggedError("NameRefused")<{ readonly reason: "invalid" | "taken" }> {
  override get message() {
    return this.reason === "taken"
      ? "somebody here has that name"
      : "a name is 1 to 20 letters, digits, - and _, and begins with a letter or digit"
  }
}

/** The person did not take events as fast as they came. */
export class TooSlow extends Data.TaggedError("TooSlow")<{ readonly waitingCount: number }> {}

/** Somebody in the room, as their door sees them. */
export interface Person {
  readonly name: Effect.Effect<string>
  /** What others do. Their own doings too, when they joined with `hearsSelf`. */
  readonly events: Queue.Dequeue<Event>
  /** Fails when the person is dropped. Race it: whoever is too slow has a door that hangs in sending. */
  readonly dropped: Effect.Effect<never, TooSlow>
  /** Says one line; control characters are taken out, and an empty line is not said. */
  readonly say: (text: string) => Effect.Effect<void>
  readonly rename: (name: string) => Effect.Effect<void, NameRefused>
}

export interface JoinOptions {
  /** The door's name, such as `tcp`. */
  readonly door: string
  /** Default: `guest-` and a number. */
  readonly name?: string | undefined
  /** Default `false`: a terminal shows what its user has typed. */
  readonly hearsSelf?: boolean | undefined
}

export class Room extends Context.Service<
  Room,
  {
    /** Comes in; closing the scope leaves. */
    readonly join: (options: JoinOptions) => Effect.Effect<Person, RoomFull | NameRefused, Scope.Scope>
    /** Says something without being there: for doors such as REST. The name must be nobody's who is. */
    readonly publish: (from: string, text: string, door: string) => Effect.Effect<void, NameRefused>
    readonly people: Effect.Effect<ReadonlyArray<{ readonly name: string; readonly door: string }>>
    /** What was said, the oldest first. */
    readonly history: Effect.Effect<ReadonlyArray<Said>>
  }
>()("@sluice/examples/chat/Room") {}

export interface Options {
  /** Default 100. */
  readonly maxPeople?: number | undefined
  /** Things said that are remembered. Default 100. */
  readonly maxHistory?: number | undefined
  /** Events that may wait for one person; with one more they are dropped. Default 256. */
  readonly maxWaiting?: number | undefined
}

export const layer = (options?: Options): Layer.Layer<Room> => Layer.effect(Room)(make(options))

export const make = (options?: Options): Effect.Effect<Room["Service"]> =>
  Effect.sync(() => Room.of(new LiveRoom(options)))

/** Everything happens in one turn, so no two people get the same name, and everyone sees events in one order. */
class LiveRoom {
  private readonly maxPeople: number
  private readonly maxHistory: number
  private readonly maxWaiting: number
  private readonly present = new Map<string, Present>()
  private readonly said: Array<Said> = []
  private guests = 0

  constructor(options?: Options) {
    this.maxPeople = options?.maxPeople ?? 100
    this.maxHistory = options?.maxHistory ?? 100
    this.maxWaiting = options?.maxWaiting ?? 256
  }

  readonly people = Effect.sync(() => [...this.present.values()].map(({ name, door }) => ({ name, door })))

  readonly history = Effect.sync((): ReadonlyArray<Said> => [...this.said])

  readonly publish = (from: string, text: string, door: string) =>
    Effect.suspend((): Effect.Effect<void, NameRefused> => {
      const name = this.claim(from)
      return name instanceof NameRefused ? Effect.fail(name) : this.say(name, text, door)
    })

  readonly join = (options: JoinOptions) =>
    Effect.map(
      Effect.acquireRelease(this.enter(options), (person) => this.leave(person)),
      (person): Person => ({
        name: Effect.sync(() => person.name),
        events: person.events,
        dropped: Deferred.await(person.dropped),
        say: (text) => Effect.suspend(() => this.say(person.name, text, person.door, person)),
        rename: (name) => this.rename(person, name)
      })
    )

  private enter(options: JoinOptions): Effect.Effect<Present, RoomFull | NameRefused> {
    return Effect.flatMap(
      Queue.dropping<Event>(this.maxWaiting),
      (events): Effect.Effect<Present, RoomFull | NameRefused> => {
        if (this.present.size >= this.maxPeople) return Effect.fail(new RoomFull({ maxPeople: this.maxPeople }))
        const name = this.claim(options.name ?? this.freeGuestName())
        if (name instanceof NameRefused) return Effect.fail(name)
        const { door, hearsSelf = false } = options
        const person: Present = { name, door, hearsSelf, events, dropped: Deferred.makeUnsafe() }
        this.present.set(keyOf(name), person)
        this.tell({ _tag: "Joined", name, door }, person)
        return Effect.succeed(person)
      }
    )
  }

  private leave(person: Present): Effect.Effect<void> {
    return Effect.sync(() => {
      if (this.present.get(keyOf(person.name)) !== person) return
      this.present.delete(keyOf(person.name))
      this.tell({ _tag: "Left", name: person.name, reason: "left" })
    })
  }

  private say(from: string, text: string, door: string, by?: Present): Effect.Effect<void> {
    return Effect.map(Clock.currentTimeMillis, (atMillis) => {
      const shown = printable(text)
      if (shown === "") return
      const said: Said = { _tag: "Said", atMillis, from, door, text: shown }
      this.said.push(said)
      if (this.said.length > this.maxHistory) this.said.shift()
      this.tell(said, by)
    })
  }

  private rename(person: Present, name: string): Effect.Effect<void, NameRefused> {
    return Effect.suspend(() => {
      const claimed = this.claim(name, person)
      if (claimed instanceof NameRefused) return Effect.fail(claimed)
      const before = person.name
      if (before !== claimed && this.present.delete(keyOf(before))) {
        person.name = claimed
        this.present.set(keyOf(claimed), person)
        this.tell({ _tag: "Renamed", before, name: claimed }, person)
      }
      return Effect.void
    })
  }

  /** The name in its one form, when it may be taken by `person`. In the same turn in which it is taken. */
  private claim(name: string, person?: Present): string | NameRefused {
    const normal = name.normalize("NFC")
    if (!namePattern.test(normal)) return new NameRefused({ reason: "invalid" })
    const holder = this.present.get(keyOf(normal))
    return holder === undefined || holder === person ? normal : new NameRefused({ reason: "taken" })
  }

  private freeGuestName(): string {
    this.guests++
    while (this.present.has(`guest-${this.guests}`)) this.guests++
    return `guest-${this.guests}`
  }

  /** Waits for nobody: who has no room for the event is dropped, when all others have it. */
  private tell(event: Event, by?: Present): void {
    const listeners = [...this.present.values()].filter((person) => person !== by || person.hearsSelf)
    const tooSlow = listeners.filter((person) => !Queue.offerUnsafe(person.events, event))
    for (const person of tooSlow) this.drop(person)
  }

  private drop(person: Present): void {
    if (!this.present.delete(keyOf(person.name))) return
    Deferred.doneUnsafe(person.dropped, Effect.fail(new TooSlow({ waitingCount: this.maxWaiting })))
    this.tell({ _tag: "Left", name: person.name, reason: "too slow" })
  }
}

interface Present {
  name: string
  readonly door: string
  readonly hearsSelf: boolean
  readonly events: Queue.Queue<Event>
  readonly dropped: Deferred.Deferred<never, TooSlow>
}

/** No `*`, no spaces: a name can stand in no line as anything but a name. */
const namePattern = /^[\p{L}\p{N}][\p{L}\p{N}_-]{0,19}$/u

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
