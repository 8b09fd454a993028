/**
 * The floor of HTTP: a bare `node:http` handler, without a router, limits or
 * errors. Its download waits for a slow reader, as it must.
 */
import * as Http from "node:http"
import * as Announcement from "./Announcement.ts"
import * as Download from "./Download.ts"

const text = (response: Http.ServerResponse, body: string): void => {
  response.writeHead(200, { "content-type": "text/plain", "content-length": body.length })
  response.end(body)
}

const upload = (request: Http.IncomingMessage, response: Http.ServerResponse): void => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => text(response, `${Buffer.concat(chunks).length} bytes`))
}

const download = (response: Http.ServerResponse): void => {
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": Download.byteCount })
  let next = 0
  const send = (): void => {
    while (next < Download.chunks.length) {
      if (response.write(Download.chunks[next++])) continue
      response.once("drain", send)
      return
    }
    response.end()
  }
  send()
}

const server = Http.createServer((request, response) => {
  if (request.url === "/upload") upload(request, response)
  else if (request.url === "/download") download(response)
  else text(response, "hello world")
})

server.listen(0, "127.0.0.1", () => Announcement.listeningOn(server.address()))
