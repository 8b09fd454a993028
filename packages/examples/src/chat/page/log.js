/**
 * The messages of a room, the newest at the end. It has a bound, follows the
 * newest message while its reader does, and puts what people wrote nowhere but
 * into text nodes.
 */

const maxMessages = 300

/** Messages of one person within this time have one heading. */
const groupMillis = 5 * 60_000

/** Whoever has scrolled up by more than this reads, and is not taken away. */
const followPixels = 80

const hues = 8

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" })

export class Log {
  #scroller
  #list
  #nothing
  #newest
  #last

  constructor({ scroller, list, nothing, newest }) {
    this.#scroller = scroller
    this.#list = list
    this.#nothing = nothing
    this.#newest = newest
    // A list that scrolls is reached by the keyboard; not all browsers see to it themselves.
    scroller.tabIndex = 0
    newest.addEventListener("click", () => {
      this.follow()
      scroller.focus()
    })
    scroller.addEventListener("scroll", () => {
      if (this.#isFollowed()) newest.hidden = true
    })
    // A keyboard that comes up, or a window that is made smaller, must not hide the newest message.
    let followed = true
    scroller.addEventListener("scroll", () => (followed = this.#isFollowed()))
    new ResizeObserver(() => followed && this.follow()).observe(scroller)
  }

  /** Shows another room, or the same one again: nobody wants all of it read out. */
  reset(history, ownName) {
    this.#scroller.setAttribute("aria-live", "off")
    this.#list.replaceChildren()
    this.#last = undefined
    for (const said of history) this.#append(this.#said(said, ownName))
    this.#nothing.hidden = history.length > 0
    this.follow()
    requestAnimationFrame(() => this.#scroller.setAttribute("aria-live", "polite"))
  }

  say(said, ownName) {
    const isOwn = said.from === ownName
    this.#add(this.#said(said, ownName), isOwn)
  }

  /** Something that happened, and nobody said. */
  note(text) {
    this.#last = undefined
    this.#add(element("li", "note", text), false)
  }

  #add(item, isOwn) {
    const follows = isOwn || this.#isFollowed()
    this.#append(item)
    this.#nothing.hidden = true
    if (follows) this.follow()
    else this.#newest.hidden = false
  }

  #append(item) {
    this.#list.append(item)
    while (this.#list.childElementCount > maxMessages) this.#list.firstElementChild.remove()
  }

  #said(said, ownName) {
    const { from, door, text, atMillis } = said
    const last = this.#last
    const continues = last?.from === from && last.door === door && atMillis - last.atMillis < groupMillis
    this.#last = said
    const item = element("li", continues ? "said continued" : "said")
    if (from === ownName) item.classList.add("own")
    if (continues) item.append(element("span", "unseen", `${from}: `))
    else item.append(heading(said))
    item.append(element("p", "text", text))
    return item
  }

  #isFollowed() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller
    return scrollHeight - scrollTop - clientHeight < followPixels
  }

  follow() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight
    this.#newest.hidden = true
  }
}

/** An element with a class and a text. */
export const element = (tag, className, text = "") => {
  const made = document.createElement(tag)
  made.className = className
  made.textContent = text
  return made
}

/** A class that gives a name its colour, the same in each browser. */
export const hueOf = (name) => {
  let hash = 0
  for (const character of name.toLowerCase()) hash = (hash * 31 + character.codePointAt(0)) % 65_521
  return `hue-${hash % hues}`
}

const heading = ({ from, door, atMillis }) => {
  const at = new Date(atMillis)
  const time = element("time", "muted", clock.format(at))
  time.dateTime = at.toISOString()
  const made = element("p", "heading")
  made.append(element("span", `name ${hueOf(from)}`, from), " ", time)
  // Most people are in by a browser: only another door is worth a word.
  if (door !== "web") made.append(" ", element("span", "tag", `by ${door}`))
  return made
}
