/**
 * One WebSocket after another to the chat's door: when one is lost, the next is
 * opened by itself, after a wait that grows and is never the same for two
 * pages. Otherwise all of them would come back to a restarted server at once.
 */

/** Codes of Close frames, as the door has them. */
const goingAway = 1001
const tooSlow = 1013
const refused = 4000
const replaced = 4001

const firstWaitMillis = 500
const longestWaitMillis = 15_000

/** The door says something at least every 15 seconds: who hears nothing for so long has lost it. */
const silenceMillis = 40_000

/** A connection that has lasted so long makes the next wait a short one again. */
const stableMillis = 10_000

export class Connection {
  #hello
  #onReply
  #onPhase
  #onRefused
  #socket
  #attempts = 0
  #openedAt = 0
  #retryTimer
  #silenceTimer
  /** Why there is no connection: what ended the last one, not what kept later ones from opening. */
  #why

  /**
   * `hello` gives the first request of each connection. `onPhase` is called
   * with `connecting`, `open`, or `waiting` and why: `lost`, `restart` or `slow`.
   */
  constructor({ hello, onReply, onPhase, onRefused }) {
    this.#hello = hello
    this.#onReply = onReply
    this.#onPhase = onPhase
    this.#onRefused = onRefused
  }

  /** Opens a connection now, if there is none. */
  open() {
    if (this.#socket !== undefined) return
    clearTimeout(this.#retryTimer)
    this.#retryTimer = undefined
    this.#onPhase("connecting")
    const url = new URL("/ws", location.href)
    url.protocol = url.protocol.replace("http", "ws")
    const socket = new WebSocket(url)
    this.#socket = socket
    this.#hear()
    socket.onopen = () => socket.send(JSON.stringify({ _tag: "Hello", ...this.#hello() }))
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data))
    socket.onclose = ({ code, reason }) => this.#lose(code, reason)
  }

  /** Tries again before the wait is over. */
  retry() {
    if (this.#retryTimer !== undefined) this.open()
  }

  /** `false`: there is no connection, and nothing was sent. */
  send(request) {
    if (this.#openedAt === 0) return false
    this.#socket.send(JSON.stringify(request))
    return true
  }

  /** Closes, and opens no other. */
  close() {
    clearTimeout(this.#retryTimer)
    this.#retryTimer = undefined
    this.#why = undefined
    this.#forget()?.close(1000)
  }

  #receive(reply) {
    this.#hear()
    if (reply._tag === "Entered" && this.#openedAt === 0) {
      this.#openedAt = performance.now()
      this.#why = undefined
      this.#onPhase("open")
    }
    this.#onReply(reply)
  }

  #hear() {
    clearTimeout(this.#silenceTimer)
    this.#silenceTimer = setTimeout(() => {
      this.#socket?.close()
      this.#lose(0, "")
    }, silenceMillis)
  }

  #lose(code, reason) {
    const wasStable = this.#openedAt > 0 && performance.now() - this.#openedAt > stableMillis
    this.#forget()
    if (code === replaced) return
    if (code === refused) return this.#onRefused(reason)
    if (wasStable) this.#attempts = 0
    const longest = Math.min(longestWaitMillis, firstWaitMillis * 2 ** this.#attempts++)
    this.#retryTimer = setTimeout(() => this.open(), longest * (0.5 + Math.random() / 2))
    this.#why ??= code === goingAway ? "restart" : code === tooSlow ? "slow" : "lost"
    this.#onPhase("waiting", this.#why)
  }

  /** Lets go of the socket: what it says from now on is not heard. */
  #forget() {
    const socket = this.#socket
    if (socket !== undefined) socket.onopen = socket.onmessage = socket.onclose = null
    clearTimeout(this.#silenceTimer)
    this.#socket = undefined
    this.#openedAt = 0
    return socket
  }
}
