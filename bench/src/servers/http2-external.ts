/**
 * A server of HTTP/2 in any language, as a peer: the command in
 * `SLUICE_BENCH_HTTP2_SERVER`, which finds its port in `$PORT`, listens there
 * on 127.0.0.1, and answers `GET /` with "hello world".
 *
 * ```sh
 * SLUICE_BENCH_HTTP2_SERVER='nghttpd --no-tls -a 127.0.0.1 -d /tmp/www "$PORT"' npm run bench -- http2/hello
 * ```
 *
 * This process becomes the command, so that its memory and CPU time are the
 * server's alone. A child that stays behind says when the server listens, and
 * ends it when the benchmark is gone.
 */
import * as ChildProcess from "node:child_process"
import * as Net from "node:net"
import * as Deadline from "../Deadline.ts"

const retryMillis = 50
const attempts = 200

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = Net.createServer().on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = Net.connect(port, "127.0.0.1")
    socket.on("error", () => resolve(false))
    socket.on("connect", () => {
      socket.destroy()
      resolve(true)
    })
  })

const watch = async (serverPid: number, port: number): Promise<void> => {
  process.stdin.resume().on("end", () => {
    try {
      process.kill(serverPid)
    } catch {}
    process.exit(0)
  })
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (await isListening(port)) {
      console.log(`listening ${port}`)
      return
    }
    await Deadline.pause(retryMillis)
  }
}

const become = async (command: string): Promise<void> => {
  const port = await freePort()
  const node = [...process.execArgv, process.argv[1]!, "watch", String(process.pid), String(port)]
  ChildProcess.spawn(process.execPath, node, { stdio: "inherit" })
  if (process.execve === undefined) throw new Error("an external server takes Node 23.11 or later")
  // Only the watcher speaks to the benchmark: what the server prints goes where errors go.
  process.execve("/bin/sh", ["sh", "-c", `exec ${command} 1>&2 </dev/null`], { ...process.env, PORT: String(port) })
}

const [task, serverPid, port] = process.argv.slice(2)
if (task === "watch") await watch(Number(serverPid), Number(port))
else await become(process.env.SLUICE_BENCH_HTTP2_SERVER ?? "")
