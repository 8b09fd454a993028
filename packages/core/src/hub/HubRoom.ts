/**
 * The members of one room, in a flat list.
 *
 * Members leave while a message goes round: a WebSocket turns out to be
 * closed, or a policy closes it. The list must not change under the loop, or
 * somebody would get the message twice or not at all. So they are taken out
 * when the loop is over.
 *
 * Hot path (`bench/src/micro/hub-broadcast.ts`).
 *
 * @internal
 * @since 0.1.0
 */
import type { PreparedMessage } from "../protocol/websocket/WebSocketPrepared.ts"
import type { HubMember } from "./HubMember.ts"
import type { Delivery, Departure, Member } from "./Presence.ts"

/** @category models */
export class HubRoom<Presence> {
  readonly name: string
  private readonly members: Array<HubMember<Presence>> = []
  /** Called when a member was taken out. It may do anything to the room. */
  private readonly removed: (member: HubMember<Presence>, departure: Departure) => void
  /** Loops that go round now: one may begin within another. */
  private broadcasts = 0
  private leaving: Array<readonly [HubMember<Presence>, Departure]> = []

  constructor(name: string, removed: (member: HubMember<Presence>, departure: Departure) => void) {
    this.name = name
    this.removed = removed
  }

  get size(): number {
    return this.members.length
  }

  add(member: HubMember<Presence>): void {
    member.index = this.members.length
    this.members.push(member)
  }

  /** Takes out a member that is no longer present: now, or when no message goes round. */
  remove(member: HubMember<Presence>, departure: Departure): void {
    if (this.broadcasts > 0) {
      this.leaving.push([member, departure])
      return
    }
    const last = this.members.pop()!
    if (last !== member) {
      last.index = member.index
      this.members[member.index] = last
    }
    member.index = -1
    this.removed(member, departure)
  }

  /** Who joins meanwhile does not get it. */
  broadcast(message: PreparedMessage, exceptId: number | undefined): Delivery {
    const { members } = this
    const end = members.length
    let sent = 0
    let queued = 0
    let dropped = 0
    let closed = 0
    this.broadcasts++
    for (let index = 0; index < end; index++) {
      const member = members[index]!
      if (!member.isPresent || member.id === exceptId) continue
      const outcome = member.deliver(message)
      if (outcome === "sent") sent++
      else if (outcome === "queued") queued++
      else if (outcome === "dropped") dropped++
      else closed++
    }
    this.broadcasts--
    if (this.broadcasts === 0 && this.leaving.length > 0) this.removeLeaving()
    return { sent, queued, dropped, closed }
  }

  /** Includes those who are about to be taken out: their departure was not told yet. */
  snapshot(): ReadonlyArray<Member<Presence>> {
    return this.members.map((member) => member.snapshot())
  }

  /** A copy, for whoever changes the list on the way. */
  all(): ReadonlyArray<HubMember<Presence>> {
    return [...this.members]
  }

  private removeLeaving(): void {
    const { leaving } = this
    this.leaving = []
    for (const [member, departure] of leaving) this.remove(member, departure)
  }
}
