/**
 * The page: it shows what the door says, and says what people do. The room is
 * in the address (`#games`), so that links lead to rooms and the browser's
 * "back" leads back.
 */
import { Connection } from "./connection.js"
import { element, hueOf, Log } from "./log.js"

const lobby = "lobby"

const $ = (id) => document.getElementById(id)

/** Characters left are shown from here on. */
const tellCharactersLeft = 100

/** What this page knows; `pending` was sent, and has not come back yet. */
const chat = { name: undefined, room: lobby, people: [], pending: [], unread: 0 }

/** Known to this page and its door only: by it, who has lost a connection gets the name back. */
const key = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("")

const log = new Log({ scroller: $("log"), list: $("messages"), nothing: $("nothing"), newest: $("newest") })

const connection = new Connection({
  hello: () => ({ ...(chat.name === undefined ? {} : { name: chat.name }), room: chat.room, key }),
  onReply: (reply) => replies[reply._tag]?.(reply),
  onPhase: (phase, why) => showPhase(phase, why),
  onRefused: (reason) => showDoor(reason)
})

/** What is done for each kind of reply. */
const replies = {
  Entered({ room, name, people, history }) {
    const isMove = !$("chat").hidden && room !== chat.room
    Object.assign(chat, { room, name, people })
    remember("name", name)
    showRoom()
    log.reset(history, name)
    showPeople()
    showOwnName()
    showChat()
    if (isMove) announce(`You are in ${room} now. ${headcount()}.`)
  },
  Said(said) {
    if (said.from === chat.name) chat.pending.shift()
    log.say(said, chat.name)
    if (document.hidden) chat.unread++
    showTitle()
  },
  Joined({ name, door }) {
    if (name === chat.name) return
    chat.people = [...chat.people.filter((one) => one.name !== name), { name, door }]
    showPeople()
    log.note(door === "web" ? `${name} joined` : `${name} joined by ${door}`)
  },
  Left({ name, reason }) {
    chat.people = chat.people.filter((one) => one.name !== name)
    showPeople()
    log.note(`${name} ${departures[reason]}`)
  },
  Renamed({ before, name }) {
    chat.people = chat.people.map((one) => (one.name === before ? { ...one, name } : one))
    if (before === chat.name) {
      chat.name = name
      remember("name", name)
      showOwnName()
      $("rename").close()
    }
    showPeople()
    log.note(`${before} is ${name} now`)
  },
  Overview({ rooms, doors }) {
    showRooms(rooms)
    showDoors(doors)
  },
  Refused({ request, message }) {
    if (request === "Say") restore(chat.pending.shift())
    if (request === "Move") history.replaceState(null, "", `#${chat.room}`)
    if (request === "Rename" && $("rename").open) showProblem("rename-problem", "rename-name", sentence(message))
    else log.note(sentence(message))
  }
}

const departures = { left: "left", moved: "went to another room", "too slow": "was too slow, and is gone" }

const phases = {
  connecting: { state: "Connecting" },
  open: { state: "Connected" },
  lost: { state: "Reconnecting", text: "The connection was lost. Reconnecting; what you type is kept." },
  restart: { state: "Reconnecting", text: "The server is going down. Reconnecting; what you type is kept." },
  slow: { state: "Reconnecting", text: "This browser did not keep up. Reconnecting; what you type is kept." }
}

const showPhase = (phase, why) => {
  const { state, text } = phases[why ?? phase]
  // While it tries again, the words about why stay: they would only flicker.
  const isRetry = phase === "connecting" && !$("lost").hidden
  $("state").dataset.phase = isRetry ? "waiting" : phase
  if (!isRetry && $("state").textContent !== state) $("state").textContent = state
  if (text !== undefined) $("lost-text").textContent = text
  if (phase === "open") $("lost").hidden = true
  if (phase === "waiting") {
    $("lost").hidden = $("chat").hidden
    if ($("chat").hidden) showDoor("There is no answer. Trying again.", "wait")
    restore(chat.pending.splice(0).join(" "))
  }
}

/** Text that was not said goes back to where it was typed. */
const restore = (text) => {
  if (text) setText([text, $("text").value].filter(Boolean).join(" "))
}

const showDoor = (problem, then = "give up") => {
  $("chat").hidden = true
  $("door").hidden = false
  $("join-button").disabled = false
  document.title = "Sluice chat"
  if (problem !== undefined) showProblem("join-problem", "join-name", sentence(problem))
  if (then === "wait") return
  forget("joined")
  $("join-name").focus()
  $("join-name").select()
}

const showChat = () => {
  if (!$("chat").hidden) return
  remember("joined", "yes")
  hideProblem("join-problem", "join-name")
  $("door").hidden = true
  $("chat").hidden = false
  log.follow()
  $("text").focus()
}

const showRoom = () => {
  $("room-name").textContent = chat.room
  $("text").placeholder = `Message to ${chat.room}`
  if (addressedRoom() !== chat.room) history.replaceState(null, "", `#${chat.room}`)
  markRoom()
  showTitle()
}

const showTitle = () => {
  document.title = `${chat.unread > 0 ? `(${chat.unread}) ` : ""}${chat.room} · Sluice chat`
}

const headcount = () => (chat.people.length === 1 ? "You are alone here" : `${chat.people.length} people are here`)

const showPeople = () => {
  const inOrder = chat.people.toSorted((one, other) => one.name.localeCompare(other.name))
  $("people").replaceChildren(
    ...inOrder.map(({ name, door }) => {
      const item = element("li", "")
      item.append(element("span", `name ${hueOf(name)}`, name))
      if (name === chat.name) item.append(" ", element("span", "muted", "you"))
      item.append(" ", element("span", "tag", door))
      return item
    })
  )
  $("room-people").textContent = headcount()
}

/** Rooms keep their elements: one of them may have the focus. */
const showRooms = (rooms) => {
  const known = new Map([...$("rooms").children].map((item) => [item.dataset.name, item]))
  const items = rooms.map(({ name, people }) => {
    const item = known.get(name) ?? roomItem(name)
    item.querySelector(".count").textContent = people
    item.querySelector(".unseen").textContent = people === 1 ? " person" : " people"
    return item
  })
  for (const item of known.values()) if (!items.includes(item)) item.remove()
  items.forEach((item, index) => {
    if ($("rooms").children[index] !== item) $("rooms").insertBefore(item, $("rooms").children[index] ?? null)
  })
  markRoom()
}

const roomItem = (name) => {
  const item = element("li", "")
  item.dataset.name = name
  const link = element("a", "")
  link.href = `#${encodeURIComponent(name)}`
  const count = element("span", "count-of muted")
  count.append(element("span", "count"), element("span", "unseen"))
  link.append(element("span", "room-label", name), " ", count)
  item.append(link)
  return item
}

const markRoom = () => {
  for (const { dataset, firstElementChild: link } of $("rooms").children) {
    if (dataset.name === chat.room) link.setAttribute("aria-current", "page")
    else link.removeAttribute("aria-current")
  }
}

const showDoors = (doors) => {
  $("doors").replaceChildren(
    ...doors.map(({ door, here, received, sent }) => {
      const row = element("tr", "")
      const name = element("th", "", door)
      name.scope = "row"
      row.dataset.door = door
      row.append(name, ...[here, received, sent].map((count) => element("td", "", count.toLocaleString())))
      return row
    })
  )
}

const showOwnName = () => {
  $("own-name").textContent = chat.name
  $("own-name").className = `quiet own-name ${hueOf(chat.name)}`
  $("own-name").setAttribute("aria-label", `${chat.name}: change your name`)
}

const showProblem = (id, field, text) => {
  $(id).textContent = text
  $(id).hidden = false
  $(field).setAttribute("aria-invalid", "true")
}

const hideProblem = (id, field) => {
  $(id).hidden = true
  $(field).removeAttribute("aria-invalid")
}

const announce = (text) => {
  $("announcement").textContent = text
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`

/** Goes to the room of the address. */
const followAddress = () => {
  const room = addressedRoom()
  if (room === chat.room || $("chat").hidden) return
  closeMenu()
  if (!connection.send({ _tag: "Move", room })) chat.room = room
  $("text").focus()
}

const addressedRoom = () => {
  try {
    return decodeURIComponent(location.hash.slice(1)) || lobby
  } catch {
    return lobby
  }
}

const setText = (text) => {
  $("text").value = text
  keepText()
}

const keepText = () => {
  const left = $("text").maxLength - $("text").value.length
  $("text-left").hidden = left > tellCharactersLeft
  $("text-left").textContent = `${left} characters left`
  remember("text", $("text").value)
}

const narrow = matchMedia("(max-width: 47.99rem)")

const openMenu = () => {
  $("menu").setAttribute("aria-expanded", "true")
  $("chat").classList.add("menu-open")
  $("main").inert = true
}

const closeMenu = () => {
  $("menu").setAttribute("aria-expanded", "false")
  $("chat").classList.remove("menu-open")
  $("main").inert = false
}

/** The session's storage; there is none in some private windows. */
const remember = (name, value) => {
  try {
    sessionStorage.setItem(name, value)
  } catch {}
}

const recall = (name) => {
  try {
    return sessionStorage.getItem(name) ?? ""
  } catch {
    return ""
  }
}

const forget = (name) => remember(name, "")

const join = () => {
  chat.name = $("join-name").value.trim() || undefined
  chat.room = $("join-room").value.trim().replace(/^#/, "") || lobby
  $("join-button").disabled = true
  hideProblem("join-problem", "join-name")
  connection.close()
  connection.open()
}

const onSubmit = (id, act) =>
  $(id).addEventListener("submit", (event) => {
    event.preventDefault()
    act()
  })

onSubmit("join", join)

onSubmit("composer", () => {
  const text = $("text").value.trim()
  if (text === "") return
  if (!connection.send({ _tag: "Say", text })) {
    announce("There is no connection: nothing was sent, and your text is kept.")
    return
  }
  chat.pending.push(text)
  setText("")
})

onSubmit("new-room", () => {
  const name = $("new-room-name").value.trim().replace(/^#/, "")
  if (name === "") return
  $("new-room-name").value = ""
  location.hash = encodeURIComponent(name)
})

onSubmit("rename-form", () => {
  const name = $("rename-name").value.trim()
  if (name === chat.name) $("rename").close()
  else if (!connection.send({ _tag: "Rename", name })) {
    showProblem("rename-problem", "rename-name", "There is no connection. Try again when there is.")
  }
})

$("own-name").addEventListener("click", () => {
  hideProblem("rename-problem", "rename-name")
  $("rename-name").value = chat.name
  $("rename").showModal()
  $("rename-name").select()
})
$("rename-cancel").addEventListener("click", () => $("rename").close())
$("text").addEventListener("input", keepText)
$("retry").addEventListener("click", () => {
  connection.retry()
  $("text").focus()
})
$("leave").addEventListener("click", () => {
  connection.close()
  closeMenu()
  showDoor()
})
$("menu").addEventListener("click", () => ($("main").inert ? closeMenu() : openMenu()))
narrow.addEventListener("change", closeMenu)
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !$("main").inert) return
  closeMenu()
  $("menu").focus()
})
addEventListener("hashchange", followAddress)
addEventListener("online", () => connection.retry())
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return
  connection.retry()
  chat.unread = 0
  if (!$("chat").hidden) showTitle()
})

$("join-name").value = recall("name")
$("join-room").value = addressedRoom()
setText(recall("text"))
if (recall("joined") === "yes") join()
else $("join-name").focus()
