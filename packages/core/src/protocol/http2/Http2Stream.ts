/**
 * One stream: its state, its windows, and what of it waits to be sent. Only
 * the connection and its send queue write here; sessions read, and keep what
 * they serve it with in `owner`.
 *
 * Hot path: `bench/` rows "http2".
 *
 * @since 0.1.0
 */
import { Http2FlowWindow } from "./Http2FlowWindow.ts"

/** @category models */
export class Http2Stream extends Http2FlowWindow {
  readonly id: number
  /** Of `Http2StreamState`. */
  state: number
  /** Whatever the session serves the stream with. */
  owner: unknown = undefined

  /** Bytes of the body that wait to be sent. */
  queuedBytes = 0
  /** How much may wait before its writer should. */
  readonly sendBufferBytes: number

  constructor(id: number, state: number, sendBytes: number, receiveSize: number, sendBufferBytes: number) {
    super(sendBytes, receiveSize)
    this.id = id
    this.state = state
    this.sendBufferBytes = sendBufferBytes
  }

  /** Whether its writer may go on. Where not, `onWritable` follows, or the end of the stream. */
  get isWritable(): boolean {
    return this.queuedBytes < this.sendBufferBytes
  }
}
