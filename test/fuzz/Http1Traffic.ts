/**
 * Random traffic of HTTP/1.1, which a seed determines: requests and responses
 * that are valid, and damage to them.
 *
 * @since 0.1.0
 */

import { SeededRandom } from "../harness/SeededRandom.ts"

/** Random numbers that a seed determines, with what this traffic is made of. */
export class Random extends SeededRandom {
  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0
  }
}

const wordOf = (random: Random): string =>
  random.list(8, () => random.pick(["a", "B", "-", "7", "~", "_"])).join("") || "x"

const fieldOf = (random: Random): string =>
  `X${wordOf(random)}:${random.pick(["", " ", "\t ", "  "])}${random.pick(["", "a b", "\xe9", "1,2", wordOf(random)])}${random.pick(["", " "])}\r\n`

const dataOf = (random: Random, most: number): string =>
  random.list(random.pick([3, most]), () => random.pick(["a", "\r\n", "0\r\n\r\n", "G", "\0", "\xff", ";"])).join("")

const extensionOf = (random: Random): string =>
  random.chance(4) ? random.pick([";a", " ; a=b", ';a="b;\\""', ";a = c;d", "\t;q"]) : ""

const chunkedOf = (random: Random): string => {
  const extended = random.chance(3)
  const chunks = random.list(4, () => {
    const data = dataOf(random, 8)
    if (data === "") return ""
    const size = data.length.toString(16)
    return `${random.pick([size, `0${size}`, size.toUpperCase()])}${extended ? extensionOf(random).slice(0, 5) && ";a" : ""}\r\n${data}\r\n`
  })
  return `${chunks.join("")}0\r\n${
    random.chance(4)
      ? fieldOf(random)
          .slice(0, 40)
          .replace(/(?<!\r\n)$/, "\r\n")
      : ""
  }\r\n`
}

/** The fields that frame `body`, and the body. */
const framedOf = (random: Random): { readonly fields: string; readonly body: string } => {
  switch (random.below(3)) {
    case 0:
      return { fields: "", body: "" }
    case 1: {
      const data = dataOf(random, 20)
      return { fields: `Content-Length: ${data.length}\r\n`, body: data }
    }
    default:
      return { fields: `Transfer-Encoding: ${random.pick(["chunked", "Chunked"])}\r\n`, body: chunkedOf(random) }
  }
}

export const requestOf = (random: Random): string => {
  const { fields, body } = framedOf(random)
  const method = random.pick(["GET", "POST", "HEAD", "PUT", "OPTIONS", "x!"])
  const path = random.pick(["/whole", "/early", "/stream", "/later", "/abort", "/interim", "http://h:1/whole?a=b"])
  const expects = body !== "" && random.chance(6) ? "Expect: 100-continue\r\n" : ""
  const connection = random.chance(8) ? `Connection: ${random.pick(["keep-alive", "x, keep-alive", "foo"])}\r\n` : ""
  const lines = ["Host: a:80\r\n", fields, expects, connection, ...random.list(4, () => fieldOf(random))]
  return `${random.chance(6) ? "\r\n" : ""}${method} ${path} HTTP/1.${random.pick([1, 1, 1, 2])}\r\n${lines.join("")}\r\n${body}`
}

export const responseOf = (random: Random): string => {
  const interim = random.list(2, () => `HTTP/1.1 ${random.pick([100, 103])} x\r\n${fieldOf(random)}\r\n`).join("")
  const { fields, body } = framedOf(random)
  const status = random.pick([200, 404, 500, 299])
  const framing = fields === "" ? "Content-Length: 0\r\n" : fields
  return `${interim}HTTP/1.1 ${status}${random.pick([" OK", " ", "", " a\tb \xe9"])}\r\n${framing}${fieldOf(random)}\r\n${body}`
}

export const damage = (random: Random, wire: string): string => {
  let damaged = wire
  for (let count = 1 + random.below(3); count > 0; count--) {
    const at = random.below(damaged.length + 1)
    const noise = random.pick([
      "\r",
      "\n",
      "\r\n",
      " ",
      "\t",
      ":",
      "\0",
      ";",
      ",",
      "0",
      "F",
      "\x80",
      "chunked",
      "Content-Length: 3\r\n",
      "Transfer-Encoding: chunked\r\n",
      "Host: b\r\n",
      "x".repeat(80)
    ])
    const kind = random.below(4)
    if (kind === 0) damaged = damaged.slice(0, at) + noise + damaged.slice(at + noise.length)
    else if (kind === 1) damaged = damaged.slice(0, at) + damaged.slice(at + 1 + random.below(4))
    else if (kind === 2) damaged = damaged.slice(0, at) + noise + damaged.slice(at)
    else if (random.chance(3)) damaged = damaged.slice(0, at)
  }
  return damaged
}
