/**
 * The floor of HTTP/2: bare handlers of the streams of `node:http2`, without a
 * router, limits or errors. Its download waits for a slow reader, as it must.
 */
import * as Http2 from "node:http2"
import * as Announcement from "./Announcement.ts"
import * as Http2Download from "./http2-download.ts"

const text = (stream: Http2.ServerHttp2Stream, body: string): void => {
  // Its client may have left before its body was whole.
  if (stream.destroyed) return
  stream.respond({ ":status": 200, "content-type": "text/plain", "content-length": body.length })
  stream.end(body)
}

const upload = (stream: Http2.ServerHttp2Stream): void => {
  const chunks: Array<Buffer> = []
  stream.on("data", (chunk: Buffer) => chunks.push(chunk))
  stream.on("end", () => text(stream, `${Buffer.concat(chunks).length} bytes`))
}

const download = (stream: Http2.ServerHttp2Stream, { chunks, byteCount }: Http2Download.Http2Download): void => {
  stream.respond({ ":status": 200, "content-type": "application/octet-stream", "content-length": byteCount })
  let next = 0
  const send = (): void => {
    while (next < chunks.length) {
      if (stream.write(chunks[next++])) continue
      stream.once("drain", send)
      return
    }
    stream.end()
  }
  send()
}

const server = Http2.createServer()

server.on("stream", (stream, headers) => {
  // Who leaves in the middle is no failure of this server.
  stream.on("error", () => {})
  const path = headers[":path"]
  if (path === "/upload") upload(stream)
  else if (path === "/whole") download(stream, Http2Download.whole)
  else if (path === "/part") download(stream, Http2Download.part)
  else if (path !== "/wait") text(stream, "hello world")
})

server.listen(0, "127.0.0.1", () => Announcement.listeningOn(server.address()))
