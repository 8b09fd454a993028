import { NodeMain, NodeWebServer } from "@sluice/node"
import { Layer } from "effect"
import { HttpRouter, HttpServerResponse, HttpStaticServer } from "effect/http"

/** The files of a directory, beside other routes. */
export const App = (root: string) =>
  Layer.mergeAll(
    HttpStaticServer.layer({ root, prefix: "/files", cacheControl: "public, max-age=3600" }),
    HttpRouter.add("GET", "/", HttpServerResponse.redirect("/files/"))
  )

const Main = HttpRouter.serve(App("docs")).pipe(Layer.provide(NodeWebServer.layer({ host: "127.0.0.1", port: 3000 })))

if (import.meta.main) NodeMain.run(Main)
