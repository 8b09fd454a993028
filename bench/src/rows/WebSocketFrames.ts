/**
 * What a WebSocket client says, as Latin-1 text: made once, before any load.
 */
import type { Opening } from "../load/StreamLoad.ts"

/** The handshake of RFC 6455 §1.3, without extensions. */
export const opening: Opening = {
  send: [
    "GET / HTTP/1.1",
    "Host: localhost",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "",
    ""
  ].join("\r\n"),
  until: "\r\n\r\n"
}

/** The beginning of a server's Close frame: FIN and the opcode. */
export const closeBegins = "\x88"

/** A text message in one frame, from a client: masked. Up to 125 characters of ASCII. */
export const clientText = (message: string): string => masked(0x81, message)

/** A Close frame with code 1000, from a client. */
export const clientClose = (): string => masked(0x88, "\x03\xe8")

/** A text message in one frame, from a server. Up to 125 characters of ASCII. */
export const serverText = (message: string): string => `\x81${String.fromCharCode(message.length)}${message}`

const key = [0x12, 0x34, 0x56, 0x78]

const masked = (opcode: number, payload: string): string => {
  const bytes = Array.from(payload, (character, index) => character.charCodeAt(0) ^ key[index % key.length]!)
  return String.fromCharCode(opcode, 0x80 | payload.length, ...key, ...bytes)
}
