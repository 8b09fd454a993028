/**
 * All rows that there are.
 */
import * as Row from "./Row.ts"
import { grpc } from "./rows/Grpc.ts"
import { http1 } from "./rows/Http1.ts"
import { http2 } from "./rows/Http2.ts"
import { micro } from "./rows/Micro.ts"
import { tcp } from "./rows/Tcp.ts"
import { websocket } from "./rows/WebSocket.ts"

export const rows: ReadonlyArray<Row.Row> = [...tcp, ...http1, ...http2, ...grpc, ...websocket, ...micro]

/** The rows of `names`, groups or paths; all when there are none. Fails when a name fits none. */
export const select = (names: ReadonlyArray<string>): ReadonlyArray<Row.Row> => {
  const fits = (row: Row.Row, name: string): boolean => row.group === name || Row.path(row) === name
  const unknown = names.find((name) => !rows.some((row) => fits(row, name)))
  if (unknown !== undefined) throw new Error(`there is no group or row "${unknown}"; --list shows what there is`)
  return names.length === 0 ? rows : rows.filter((row) => names.some((name) => fits(row, name)))
}
