/**
 * Random traffic of HTTP/1.1, which a seed determines: requests and responses
 * that are valid; the same with the twists of which desynchronization is made;
 * and blind damage.
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

/** Of the grammar; those with white space are not understood everywhere. */
const extensionOf = (random: Random): string =>
  random.chance(8)
    ? random.pick([";a=b", ';a="b;c"', ";a;b", ';a="\\""', " ; a=b", ";a = c;d", "\t;q"])
    : random.chance(3)
      ? ";a"
      : ""

const chunkedOf = (random: Random): string => {
  const chunks = random.list(4, () => {
    const data = dataOf(random, 8)
    if (data === "") return ""
    const size = data.length.toString(16)
    return `${random.pick([size, `0${size}`, size.toUpperCase()])}${extensionOf(random)}\r\n${data}\r\n`
  })
  const trailers = random.chance(4) ? fieldOf(random) : ""
  return `${chunks.join("")}0\r\n${trailers}\r\n`
}

/** The fields that frame a body, and the body. */
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

const connections = ["keep-alive", "x, keep-alive", "foo", "Keep-Alive", "TE\r\nConnection: foo"]

const upgrade = "upgrade\r\nUpgrade: echo"

export const requestOf = (random: Random): string => {
  const { fields, body } = framedOf(random)
  const method = random.pick(["GET", "POST", "HEAD", "PUT", "OPTIONS", "x!"])
  const path = random.pick(["/whole", "/early", "/stream", "/later", "/abort", "/interim", "http://h:1/whole?a=b"])
  const expects = body !== "" && random.chance(6) ? "Expect: 100-continue\r\n" : ""
  const connection = random.chance(8) ? `Connection: ${random.pick([...connections, upgrade])}\r\n` : ""
  const lines = ["Host: a:80\r\n", fields, expects, connection, ...random.list(4, () => fieldOf(random))]
  return `${random.chance(6) ? "\r\n" : ""}${method} ${path} HTTP/1.${random.pick([1, 1, 1, 2])}\r\n${lines.join("")}\r\n${body}`
}

/** Method that is answered, and the answer: with each way to end a body, and with none. */
export const answerOf = (random: Random): { readonly method: string; readonly wire: string } => {
  const method = random.pick(["GET", "GET", "GET", "GET", "POST", "HEAD"])
  return { method, wire: responseTo(random, method) }
}

/** The response to a GET whose body ends by itself. */
export const responseOf = (random: Random): string => {
  const { fields, body } = framedOf(random)
  const status = random.pick([200, 404, 500, 299])
  const framing = fields === "" ? "Content-Length: 0\r\n" : fields
  return `${interimOf(random)}HTTP/1.1 ${status}${phraseOf(random)}\r\n${framing}${fieldOf(random)}\r\n${body}`
}

const interimOf = (random: Random): string =>
  random.list(2, () => `HTTP/1.1 ${random.pick([100, 103, 102])} x\r\n${fieldOf(random)}\r\n`).join("")

const phraseOf = (random: Random): string => random.pick([" OK", " ", "", " a\tb \xe9"])

const responseTo = (random: Random, method: string): string => {
  const status = random.pick([200, 200, 200, 404, 500, 299, 204, 304, 205])
  const { fields, body } = framedOf(random)
  const bodiless = method === "HEAD" || status === 204 || status === 304
  const untilClose = fields === "" && !bodiless ? dataOf(random, 20) : ""
  const connection = random.chance(5) ? `Connection: ${random.pick([...connections, "close"])}\r\n` : ""
  const lines = [fields, connection, ...random.list(3, () => fieldOf(random))].join("")
  // A coding in HTTP/1.0 is damage.
  const version = fields.startsWith("T") || random.chance(4) ? "1.1" : random.pick(["1.1", "1.1", "1.0"])
  const head = `HTTP/${version} ${status}${phraseOf(random)}\r\n${lines}\r\n`
  return `${interimOf(random)}${head}${bodiless ? "" : body}${untilClose}`
}

/** What is replaced, and what by; `$&` is what was there. */
const twists: ReadonlyArray<readonly [place: RegExp, by: ReadonlyArray<string>]> = [
  [
    /Host: a:80\r\n/,
    [
      ...["", "$&$&", "Host: a,b\r\n", "Host:\r\n", "Host : a\r\n", "Host: a\r\n b\r\n", "Host: [::1]:80\r\n"],
      ...["Host: u@a\r\n", "Host: a/b\r\n", "hOST: a:\r\n", "Host: a:99999\r\n", "Host: a b\r\n", "$&Host: b\r\n"]
    ]
  ],
  [
    /Content-Length: (\d+)/,
    [
      ...["Content-Length: +$1", "Content-Length:\t$1 ", "Content-Length: 0$1", "Content-Length: $1, $1", "$&\r\n$&"],
      ...[
        "$&\r\nContent-Length: 1$1",
        "Content-Length: 0x$1",
        "$&\r\nTransfer-Encoding: chunked",
        "Content-Length: -1"
      ],
      ...["Transfer-Encoding: chunked\r\n$&", "Content-Length : $1", "Content-Length: $1\v", "Content-Length: $1 1"],
      ...["Content-Length: 18446744073709551616", "Content-Length:\r\n $1", "Content-Length: $1;a", "Content-Length:"],
      ...["Content-Length: 9007199254740993", "Content\x00-Length: $1", "Content-Length\r\n: $1", "Content-Length: $1,"]
    ]
  ],
  [
    /Transfer-Encoding: chunked/i,
    [
      ...["Transfer-Encoding: xchunked", "Transfer-Encoding:\tchunked\t", "Transfer-Encoding: chunked, identity"],
      ...["Transfer-Encoding: identity, chunked", "Transfer-Encoding: gzip, chunked", "$&\r\nTransfer-Encoding: x"],
      ...["Transfer-Encoding: x\r\n$&", "Transfer-Encoding : chunked", "X: x\n$&", "Transfer-Encoding:\vchunked"],
      ...["Transfer-Encoding:\r\n chunked", 'Transfer-Encoding: "chunked"', "Transfer-Encoding: chunked;a=b", "$&,"],
      ...[
        "Transfer-Encoding: , chunked",
        "$&\r\n$&",
        "Transfer-Encoding: chunked chunked",
        "Transfer_Encoding: chunked"
      ],
      ...["Content-Length: 3\r\n$&", "$&\r\nContent-Length: 0", "Transfer-Encoding:", "Transfer-Encoding: identity"],
      ...["Transfer-Encoding: gzip", "Transfer-Encoding: chunked\x00", "Transfer-Encoding: \xa0chunked", "\r$&"]
    ]
  ],
  [
    /(?<!\r\n)\r\n/,
    ["\n", "\r", "\r\r\n", "\n\r", " \r\n", "\r\n ", "\r\n\t", "\0\r\n", "\r\n\r\n", "\x7f\r\n", "\v\r\n"]
  ],
  [
    /(?<=\r\n)([0-9A-Fa-f]+)(?=[;\r])/,
    [
      ...[" $1", "$1 ", "0x$1", "$1;", '$1;a="b', "+$1", "-$1", "$1\t", "0000000000000000000$1", "$1;\n", "$1;a\nb"],
      ...[
        "10000000000000000$1",
        "$1_",
        "$1;a=",
        "$1;=b",
        "$1 ;a",
        "$1; a",
        "$1;a =b",
        "$1;a= b",
        "$1;a b",
        '$1;a="\r"'
      ],
      ...["$1,", "$1;a\x00", "$1;a=\xe9", '$1;a="b"c', "$1;;a", '$1;a="b\\']
    ]
  ],
  [/0\r\n\r\n$/, ["0\r\nHost: b\r\n\r\n", "0\r\nContent-Length: 1\r\n\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n"]],
  [
    /0\r\n\r\n$/,
    ["0\r\n a\r\n\r\n", "0\r\na : b\r\n\r\n", "0\r\n\n", "0\n\n", "0\r\n", "00\r\n\r\n", "0\r\nX: a\r\n b\r\n\r\n"]
  ],
  [
    /HTTP\/1\.1(?= |\r)/,
    ["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.1 ", "HTTP/1.10", "HTTP/11", "HTTPS/1.1", ""]
  ],
  [
    / \/whole /,
    [
      ...["  /whole ", "\t/whole ", " * ", " /a#b ", " /\xe9 ", " a:80 ", " http://u@h/ ", " http:// ", " ftp://h/ "],
      ...[" //a/b ", " /%zz ", " /a b ", " \\ ", " ?a ", " https://h ", " http://h:99999/ ", " /a\x7f ", " /a\0 ", " "]
    ]
  ],
  [
    /GET|POST|PUT/,
    ["CONNECT", "get", "G T", "PRI", "M-SEARCH", "QUERY", "(GET", "GET\t", "SOURCE", "\r\n\r\n$&", "\n$&"]
  ],
  [
    /\r\n\r\n/,
    [
      ...[
        "Close",
        "keep-alive, close",
        "close, keep-alive",
        "closed",
        "x\r\nConnection: close",
        "close,",
        ", close"
      ].map((options) => `\r\nConnection: ${options}\r\n\r\n`),
      ...[
        "\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n",
        "\r\nUpgrade: a\r\n\r\n",
        "\r\nProxy-Connection: close\r\n\r\n"
      ],
      ...["\r\nExpect: 200-ok\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n", "\r\nNo colon\r\n\r\n", "\r\n: a\r\n\r\n"],
      ...[
        "\r\nX(): a\r\n\r\n",
        "\r\nX\xe9: a\r\n\r\n",
        "\r\nX: \x01\r\n\r\n",
        "\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n"
      ],
      ...["\r\nCookie: a\r\nCookie: b\r\n\r\n", "\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n"]
    ]
  ],
  [
    / (200|404|500|299|204|304|205)/,
    [" 101", " 100", " 20", " 2000", " 099", " 600", " 2 0", "  200", " 20x", " 999", ""]
  ]
]

/** Changes one or two things that a parser must not be of two minds about. */
export const twist = (random: Random, wire: string): string => {
  let twisted = wire
  for (let count = 1 + random.below(2); count > 0; count--) {
    const [place, by] = random.pick(twists)
    const matches = [...twisted.matchAll(new RegExp(place, `${place.flags}g`))]
    const match = matches[random.below(Math.max(1, matches.length))]
    if (match === undefined) continue
    const changed = random
      .pick(by)
      .replaceAll("$&", () => match[0])
      .replaceAll("$1", () => match[1] ?? "")
    twisted = twisted.slice(0, match.index) + changed + twisted.slice(match.index + match[0].length)
  }
  return twisted
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
