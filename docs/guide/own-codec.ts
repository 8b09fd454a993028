import { type ByteQueue, type Codec, CodecError, TcpServer } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Effect, Layer } from "effect"

const limitBytes = 999

/** Netstrings: `5:hello,` is a frame of five bytes. */
export const netstrings: Codec.Codec<Uint8Array> = {
  decoder: () => new NetstringDecoder(),
  encoder: () => ({
    encode: (frame, output) => {
      if (frame.length > limitBytes) {
        return new CodecError.FrameTooLarge({ receivedBytes: frame.length, limitBytes, fault: "caller" })
      }
      output.write(new TextEncoder().encode(`${frame.length}:`))
      output.write(frame)
      output.write(Uint8Array.of(comma))
      return undefined
    }
  })
}

const colon = 0x3a
const comma = 0x2c

class NetstringDecoder implements Codec.Decoder<Uint8Array> {
  violation: CodecError.CodecReason | undefined = undefined

  takeViolation(): CodecError.CodecReason | undefined {
    const violation = this.violation
    this.violation = undefined
    return violation
  }

  decode(input: ByteQueue.ByteQueue): Uint8Array | undefined {
    const digits = input.indexOf(colon)
    if (digits < 0) return input.byteLength > 3 ? this.fail("no length within 3 digits") : undefined
    const length = new TextDecoder().decode(input.peek(digits))
    if (!/^(0|[1-9]\d{0,2})$/.test(length)) return this.fail("a length is up to 3 digits")
    const frameBytes = Number(length)
    const end = digits + 1 + frameBytes
    if (input.byteLength <= end) return undefined
    if (input.at(end) !== comma) return this.fail("a frame ends with a comma")
    input.skip(digits + 1)
    const frame = input.take(frameBytes)
    input.skip(1)
    return frame
  }

  decodeEnd(input: ByteQueue.ByteQueue): Uint8Array | undefined {
    const frame = this.decode(input)
    if (frame === undefined && this.violation === undefined && input.byteLength > 0) {
      this.violation = new CodecError.TruncatedFrame(input.byteLength)
    }
    return frame
  }

  private fail(detail: string): undefined {
    this.violation = new CodecError.InvalidLength(detail)
  }
}

export const Server = TcpServer.serve((connection) =>
  Effect.gen(function* () {
    const frames = connection.framed(netstrings)
    while (true) yield* frames.send(yield* frames.receive)
  })
)

const Main = Server.pipe(
  Layer.provide(TcpServer.layer()),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 7000 }))
)

if (import.meta.main) NodeMain.run(Main)
