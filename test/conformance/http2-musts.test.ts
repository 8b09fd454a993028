/**
 * Every MUST and MUST NOT of RFC 9113 §3.4 to §8 and RFC 8441 that an endpoint
 * can break on the wire, and the test that holds us to it; and those that no
 * test of the engine can reach, with the reason.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "vitest"

const frames = "http2-frames-rules"
const blocks = "http2-blocks-rules"
const connection = "http2-connection-rules"
const streams = "http2-streams-rules"
const windows = "http2-windows-rules"
const fields = "http2-fields-rules"
const messages = "http2-messages-rules"
const sending = "http2-sending-rules"

type Must = readonly [must: string, file: string, test: string]

const musts: ReadonlyArray<Must> = [
  [
    "§3.4: the client's preface is followed by SETTINGS",
    frames,
    "RFC 9113 §3.4: what a client and a server send first"
  ],
  ["§3.4: SETTINGS is the first frame of a server", frames, "RFC 9113 §3.4: what a client and a server send first"],
  ["§3.4: SETTINGS of a preface are acknowledged", frames, "are acknowledged, behind our own"],
  ["§3.4: an invalid preface is PROTOCOL_ERROR", frames, "RFC 9113 §3.4: a request of HTTP/1.1"],
  ["§4.1: no frames above 2^14 unless allowed are sent", windows, "RFC 9113 §4.2: no frame above the peer's maximum"],
  ["§4.1: frames of unknown types are discarded", frames, "frames of unknown types, on the connection"],
  ["§4.1: unused flags are ignored", frames, "RFC 9113 §4.1: unused flags of SETTINGS"],
  ["§4.1: the reserved bit is ignored", frames, "RFC 9113 §4.1: the reserved bit of the connection"],
  ["§4.2: frames of 2^14 bytes are received", frames, "RFC 9113 §4.2: DATA of 2^14 bytes"],
  ["§4.2: FRAME_SIZE_ERROR above the maximum", frames, "RFC 9113 §4.2: an unknown frame above the maximum"],
  ["§4.2: FRAME_SIZE_ERROR below the minimum", frames, "RFC 9113 §4.2: GOAWAY below its minimum"],
  ["§4.2: of the connection, where its state is concerned", frames, "RFC 9113 §6.2: HEADERS above the maximum"],
  ["§4.3: field blocks are contiguous", blocks, "RFC 9113 §4.3: within a header block"],
  ["§4.3: our field blocks are contiguous", "../fuzz/Http2Watcher", "within a header block"],
  ["§4.3: a field block that is discarded is decompressed", blocks, "changes the table all the same"],
  ["§4.3: a decoding error is COMPRESSION_ERROR", blocks, "RFC 7541 §2.3.3: an index above both tables"],
  ["§4.3.1: our encoder says a reduced size first", blocks, "our encoder keeps to the table of the peer"],
  ["§4.3.1: a block without it is COMPRESSION_ERROR", blocks, "behind the acknowledgement of a smaller table"],
  [
    "§5.1, idle: anything but HEADERS and PRIORITY is PROTOCOL_ERROR",
    streams,
    'describe("RFC 9113 §5.1: idle streams"'
  ],
  ["§5.1, idle: HEADERS of a server is PROTOCOL_ERROR", streams, "RFC 9113 §5.1.1: a server that opens a stream"],
  ["§5.1, half-closed (remote): STREAM_CLOSED", streams, "RFC 9113 §5.1: DATA behind a request without a body"],
  ["§5.1, closed: nothing is sent but PRIORITY", "../fuzz/Http2Watcher", "behind RST_STREAM"],
  [
    "§5.1, closed: what was in flight is processed minimally",
    streams,
    "what was in flight behind our RST_STREAM is ignored"
  ],
  ["§5.1.1: identifiers of a client are odd", streams, "RFC 9113 §5.1.1: an even one from a client"],
  ["§5.1.1: identifiers rise", streams, "RFC 9113 §5.1.1: one that was skipped"],
  ["§5.1.1: ours too", streams, "RFC 9113 §5.1.1: ours are odd, and rise"],
  ["§5.1.2: we do not exceed the peer's limit", streams, "a client does not exceed the peer's limit"],
  ["§5.1.2: a stream above ours is a stream error", streams, "RFC 9113 §5.1.2: a stream above the limit is refused"],
  ["§5.2.1: a sender respects flow control", windows, "RFC 9113 §6.9.1: no more than the stream's window"],
  ["§5.4: a connection error is reported", streams, "GOAWAY has the last stream that was processed"],
  ["§5.4.1: behind GOAWAY the connection is closed", streams, "behind GOAWAY the transport is closed"],
  ["§5.4.2: frames behind our RST_STREAM are expected", streams, "what was in flight behind our RST_STREAM is ignored"],
  ["§5.4.2: no RST_STREAM in response to RST_STREAM", streams, "no RST_STREAM in response to RST_STREAM"],
  ["§5.5: unknown values are ignored", frames, "RFC 9113 §6.5.2: settings that are unknown"],
  ["§5.5: unknown frames within a field block are PROTOCOL_ERROR", blocks, "an unknown frame (§5.5)"],
  ["§6.1: DATA of stream 0", frames, "RFC 9113 §6.1: DATA of stream 0"],
  ["§6.1: DATA on a stream that is not open is STREAM_CLOSED", streams, "RFC 9113 §5.1: DATA behind both ends"],
  ["§6.1: padding as long as the payload", frames, "RFC 9113 §6.1: DATA whose padding is its whole payload"],
  ["§6.2: HEADERS without END_HEADERS is followed by CONTINUATION", blocks, "RFC 9113 §4.3: within a header block"],
  ["§6.2: HEADERS of stream 0", frames, "RFC 9113 §6.2: HEADERS of stream 0"],
  ["§6.2: padding as long as the payload", frames, "RFC 9113 §6.2: HEADERS whose padding is longer than their payload"],
  ["§6.3: PRIORITY of stream 0", frames, "RFC 9113 §6.3: PRIORITY of stream 0"],
  ["§6.3: PRIORITY of a wrong length is a stream error", frames, "RFC 9113 §6.3: of four bytes"],
  ["§6.4: nothing is sent behind the peer's RST_STREAM", streams, "nothing is sent behind the peer's RST_STREAM"],
  ["§6.4: RST_STREAM of stream 0", frames, "RFC 9113 §6.4: RST_STREAM of stream 0"],
  ["§6.4: no RST_STREAM of an idle stream is sent", frames, "no RST_STREAM, which idle streams never get"],
  ["§6.4: RST_STREAM of an idle stream", streams, "RFC 9113 §6.4: RST_STREAM"],
  ["§6.4: RST_STREAM of a wrong length", frames, "RFC 9113 §6.4: RST_STREAM of three bytes"],
  ["§6.5: SETTINGS is sent at the start", frames, "RFC 9113 §3.4: what a client and a server send first"],
  ["§6.5: an acknowledgement has no payload", frames, "RFC 9113 §6.5: an acknowledgement with settings"],
  ["§6.5: SETTINGS of a stream", frames, "RFC 9113 §6.5: SETTINGS of a stream"],
  ["§6.5: SETTINGS of a wrong length", frames, "RFC 9113 §6.5: SETTINGS of five bytes"],
  ["§6.5.2: ENABLE_PUSH is 0 or 1", connection, "RFC 9113 §6.5.2: ENABLE_PUSH of 2"],
  ["§6.5.2: a server does not enable push", connection, "RFC 9113 §6.5.2: a server that enables push"],
  [
    "§6.5.2: PUSH_PROMISE where push is disabled",
    connection,
    "a push that was disabled, and its SETTINGS acknowledged"
  ],
  ["§6.5.2: INITIAL_WINDOW_SIZE above 2^31-1", connection, "RFC 9113 §6.5.2: INITIAL_WINDOW_SIZE above 2^31-1"],
  ["§6.5.2: MAX_FRAME_SIZE within its range", connection, "RFC 9113 §6.5.2: MAX_FRAME_SIZE below 2^14"],
  ["§6.5.2: unknown settings are ignored", frames, "RFC 9113 §6.5.2: settings that are unknown"],
  ["§6.5.3: values apply at once", windows, "a window may become negative"],
  ["§6.5.3: values apply in order", connection, "RFC 9113 §6.5.2: values at their ends"],
  ["§6.5.3: SETTINGS are acknowledged at once", connection, "RFC 9113 §6.5.3: each SETTINGS is acknowledged"],
  ["§6.6: PUSH_PROMISE of stream 0", frames, "RFC 9113 §6.6: PUSH_PROMISE of stream 0"],
  ["§6.6: PUSH_PROMISE on a stream that is not open", connection, "RFC 9113 §6.6: on an idle stream"],
  ["§6.6: PUSH_PROMISE of an illegal stream", connection, "RFC 9113 §6.6: of a stream that cannot be pushed"],
  ["§6.7: PING is answered with the same payload", connection, "RFC 9113 §6.7: is answered with the same bytes"],
  ["§6.7: an answer is not answered", connection, "RFC 9113 §6.7: an answer is not answered"],
  ["§6.7: PING of a stream", frames, "RFC 9113 §6.7: PING of a stream"],
  ["§6.7: PING of a wrong length", frames, "RFC 9113 §6.7: PING of seven bytes"],
  ["§6.8: no new streams behind GOAWAY", connection, "RFC 9113 §6.8: no new streams behind it"],
  ["§6.8: GOAWAY of a stream", frames, "RFC 9113 §6.8: GOAWAY of a stream"],
  ["§6.8: the last stream does not rise", connection, "a drain ends in two steps, and the last stream never rises"],
  [
    "§6.8: blocks above it go through the compression",
    connection,
    "a drain ends in two steps, and the last stream never rises"
  ],
  ["§6.8: DATA above it counts for the connection", "../fuzz/Http2Subject", "checkReturned"],
  ["§6.9: an increment of 0", windows, "RFC 9113 §6.9: an increment of 0 for a stream"],
  ["§6.9: an increment of 0 for the connection", windows, "RFC 9113 §6.9: an increment of 0 for the connection"],
  [
    "§6.9: WINDOW_UPDATE on half-closed and closed streams is no error",
    streams,
    "WINDOW_UPDATE, RST_STREAM and PRIORITY behind both ends"
  ],
  ["§6.9: DATA in error counts for the connection", "../fuzz/Http2Subject", "checkReturned"],
  ["§6.9: WINDOW_UPDATE of a wrong length", frames, "RFC 9113 §6.9: WINDOW_UPDATE of three bytes"],
  ["§6.9.1: no DATA above either window", windows, "RFC 9113 §6.9.1: no more than the connection's window"],
  ["§6.9.1: a window above 2^31-1, of a stream", windows, "RFC 9113 §6.9.1: a stream's window above 2^31-1"],
  ["§6.9.1: a window above 2^31-1, of the connection", windows, "RFC 9113 §6.9.1: a connection's window above 2^31-1"],
  ["§6.9.2: SETTINGS adjust windows, also below 0", windows, "a window may become negative"],
  ["§6.9.2: SETTINGS that raise a window above 2^31-1", windows, "SETTINGS that raise a stream's window above 2^31-1"],
  ["§6.9.3: DATA above a window that was reduced", windows, "the initial window before SETTINGS are acknowledged"],
  ["§6.10: CONTINUATION is followed by CONTINUATION", blocks, "RFC 9113 §6.10: behind a CONTINUATION"],
  ["§6.10: CONTINUATION of stream 0", blocks, "RFC 9113 §6.10: CONTINUATION of stream 0"],
  ["§6.10: CONTINUATION behind nothing", blocks, "RFC 9113 §6.10: CONTINUATION behind nothing"],
  ["§7: unknown codes have no special meaning", streams, "RFC 9113 §7: a code that is unknown"],
  ["§8.1: no pseudo-header fields in trailers", messages, "RFC 9113 §8.1: a pseudo-header field in trailers"],
  ["§8.1: none in ours", sending, "trailers have no pseudo-header fields, and end the stream"],
  [
    "§8.1: HEADERS in the middle end the stream",
    messages,
    "RFC 9113 §8.1: HEADERS behind DATA that do not end the stream"
  ],
  ["§8.1: an interim response does not end it", messages, "RFC 9113 §8.1: an interim response that ends the stream"],
  [
    "§8.1: no response is lost by NO_ERROR",
    messages,
    "a response that is whole is not lost by RST_STREAM with NO_ERROR"
  ],
  ["§8.1.1: content-length is true", messages, "RFC 9113 §8.1.1: DATA is shorter"],
  ["§8.1.1: malformed messages are a stream error", fields, "RFC 9113 §8.3.1: no :method"],
  ["§8.1.1: no malformed response is accepted", "Http2Rows", "is not handed over"],
  ["§8.2: names are sent in lower case", sending, "RFC 9113 §8.2: names in lower case"],
  ["§8.2.1: names", fields, "RFC 9113 §8.2.1: a name with a space"],
  ["§8.2.1: no colon in names", fields, "RFC 9113 §8.2.1: a name with a colon"],
  ["§8.2.1: no NUL, CR and LF in values", fields, "RFC 9113 §8.2.1: a value with LF"],
  ["§8.2.1: no white space around values", fields, "RFC 9113 §8.2.1: a value that begins with a space"],
  ["§8.2.2: no connection-specific fields are sent", sending, "RFC 9113 §8.2.2: no connection-specific fields"],
  ["§8.2.2: nor received", fields, "RFC 9113 §8.2.2: transfer-encoding"],
  ["§8.2.2: te has nothing but trailers", fields, "RFC 9113 §8.2.2: te of more than trailers"],
  ["§8.2.3: crumbs are joined", fields, "RFC 9113 §8.2.3: crumbs of a cookie are one"],
  ["§8.3: no other pseudo-header fields are sent", sending, "nothing is sent of what is invalid"],
  ["§8.3: those of requests are not in responses", fields, "RFC 9113 §8.3: :method in a response"],
  ["§8.3: those of responses are not in requests", fields, "RFC 9113 §8.3: :status in a request"],
  ["§8.3: they come first", fields, "RFC 9113 §8.3: one behind a field"],
  ["§8.3: they come once", fields, "RFC 9113 §8.3: :path twice"],
  ["§8.3.1: Host does not count beside :authority", fields, "RFC 9113 §8.3.1: Host is another than :authority"],
  ["§8.3.1: a client sends :authority", sending, "RFC 9113 §8.3.1: a client's requests"],
  ["§8.3.1: no userinfo", fields, "RFC 9113 §8.3.1: userinfo in :authority"],
  ["§8.3.1: :path is not empty", fields, "RFC 9113 §8.3.1: an empty :path"],
  ["§8.3.1: * of OPTIONS", fields, "RFC 9113 §8.3.1: OPTIONS of the whole server"],
  ["§8.3.1: all three are there", fields, "RFC 9113 §8.3.1: no :scheme"],
  ["§8.3.2: :status is there", fields, "RFC 9113 §8.3.2: no :status"],
  ["§8.4: a server treats PUSH_PROMISE as PROTOCOL_ERROR", connection, "RFC 9113 §8.4: a client cannot push"],
  ["§8.5: CONNECT without :scheme and :path", fields, "RFC 9113 §8.5: with :scheme"],
  ["§8.5: nothing but DATA on a connected stream", fields, "RFC 9113 §8.5: HEADERS on a connected stream"],
  ["§8.6: no 101", sending, "RFC 9113 §8.6: no 101"],
  ["RFC 8441 §3: ENABLE_CONNECT_PROTOCOL is 0 or 1", connection, "RFC 8441 §3: ENABLE_CONNECT_PROTOCOL of 2"],
  ["RFC 8441 §3: not back from 1 to 0", connection, "RFC 8441 §3: ENABLE_CONNECT_PROTOCOL back from 1 to 0"],
  [
    "RFC 8441 §3: no :protocol before it was announced",
    fields,
    "a client does not ask for it before the server has announced it"
  ],
  ["RFC 8441 §4: :scheme and :path are there", fields, "RFC 8441 §4: without :scheme"]
]

/** What no test of the engine can hold us to. */
const unreachable: ReadonlyArray<readonly [must: string, reason: string]> = [
  ["§3.2, §3.3: TLS, ALPN and prior knowledge", "the transport's and the session's: test/node and test/core/session"],
  [
    "§4.1: unused flags and the reserved bit are left unset",
    "no call can set them: Http2FrameEncoder.test.ts compares each byte"
  ],
  ["§5.1: the rules of reserved streams", "nobody pushes here, so no stream is ever reserved"],
  [
    "§5.2.2: frames are read as soon as they come",
    "the session's: it reads on until 256 KiB wait for a peer that takes nothing"
  ],
  ["§5.5: extensions are negotiated, and disabled at first", "there is none but RFC 8441, whose setting begins with 0"],
  ["§6.1, §6.2: padding is of zeros", "nothing that is sent is padded"],
  ["§6.6: who may send PUSH_PROMISE, and on what", "nothing sends it"],
  ["§6.8: debug data that is logged is safeguarded", "the session's and the user's: the engine logs nothing"],
  [
    "§6.9: frames that are exempt are processed",
    "there is no flow control but of DATA; the budgets of §10.5 end abuse"
  ],
  ["§8.1.1, §8.2.1, §8.2.2, §8.3.1: intermediaries", "the engine forwards nothing; whoever does has checked fields"],
  [
    "§8.3.1: normalization of :authority and Host by a proxy",
    "an origin server may choose its own; Http2MessageRules.test.ts"
  ],
  ["§8.4: what is pushed is safe, cacheable and authoritative", "every push is refused"],
  ["§8.5: RST of TCP behind a failed CONNECT", "the application's: it resets its TCP connection"]
]

describe("each MUST has its test", () => {
  const textOf = (file: string): string => {
    const paths = [".test.ts", ".ts"].map((end) => Path.join(import.meta.dirname, file + end))
    return Fs.readFileSync(paths.find((path) => Fs.existsSync(path)) ?? "", "utf8")
  }
  for (const [must, file, test] of musts) {
    it(must, () => assert.include(textOf(file), test, `${file} has no test of this name`))
  }
  it("or a reason", () => {
    for (const [must, reason] of unreachable) assert.notStrictEqual(reason, "", must)
  })
})
