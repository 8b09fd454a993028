import * as Zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { GrpcCompression } from "@sluice/core/grpc/GrpcCompression"
import * as GrpcEncoding from "@sluice/core/protocol/grpc/GrpcEncoding"
import * as NodeGrpcCompression from "@sluice/node/NodeGrpcCompression"
import * as NodeServices from "@sluice/node/NodeServices"
import * as NodeTransport from "@sluice/node/NodeTransport"
import * as NodeWebServer from "@sluice/node/NodeWebServer"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"

const encodings = NodeGrpcCompression.make()
const text = Buffer.from("a message of which parts are repeated, parts are repeated ".repeat(20))

const compressorOf = (name: string, from = encodings): GrpcEncoding.Compressor => {
  const found = from.find(name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}
const outcome = (name: string, bytes: Uint8Array, maxOutputBytes = 10_000): string => {
  const found = compressorOf(name).decompress(bytes, maxOutputBytes)
  return found._tag === "Decompressed" ? Buffer.from(found.bytes).toString() : found._tag
}

/** Each with what Node itself makes and reads of it. */
const native = {
  gzip: [Zlib.gzipSync, Zlib.gunzipSync],
  deflate: [Zlib.deflateSync, Zlib.inflateSync],
  zstd: [Zlib.zstdCompressSync, Zlib.zstdDecompressSync]
} as const
const names = ["gzip", "deflate", "zstd"] as const

it("offers all of them, gzip first", () => assert.strictEqual(encodings.acceptText, "identity,gzip,deflate,zstd"))

for (const name of names) {
  describe(name, () => {
    const [compress, decompress] = native[name]
    const whole = compress(text)

    it("is the format that others know by the name", () => {
      const { compress } = compressorOf(name)
      for (const message of [text, Buffer.of(), Buffer.alloc(100_000, 7)]) {
        assert.isTrue(decompress(compress(message)).equals(message))
      }
      assert.isBelow(compress(text).length, 120)
      assert.strictEqual(outcome(name, whole), text.toString())
    })
    it("what comes back is a plain array of bytes", () => {
      const found = compressorOf(name).decompress(whole, 10_000)
      assert.strictEqual(found._tag === "Decompressed" && found.bytes.constructor, Uint8Array)
      assert.strictEqual(compressorOf(name).compress(text).constructor, Uint8Array)
    })
    it("the output is bounded", () => {
      const million = compress(Buffer.alloc(1_000_000, "x"))
      assert.strictEqual(outcome(name, million, 999_999), "TooLarge")
      assert.lengthOf(outcome(name, million, 1_000_000), 1_000_000)
      assert.lengthOf(outcome(name, million, Number.POSITIVE_INFINITY), 1_000_000)
      assert.strictEqual(outcome(name, compress(Buffer.from("x")), 0), "TooLarge")
      assert.strictEqual(outcome(name, compress(Buffer.of()), 0), "")
    })
    it("a bomb is left as soon as it is above the limit", () => {
      const bomb = compress(Buffer.alloc(64 * 1_024 * 1_024))
      const before = process.memoryUsage().arrayBuffers
      assert.strictEqual(outcome(name, bomb, 100_000), "TooLarge")
      assert.isBelow(process.memoryUsage().arrayBuffers - before, 4_000_000)
    })
    it("without its end it is invalid, wherever it was cut", () => {
      for (let length = 0; length < whole.length; length++) {
        assert.strictEqual(outcome(name, whole.subarray(0, length)), "Invalid", `${length}`)
      }
    })
    it("with bytes behind its end it is invalid", () => {
      for (const behind of [Buffer.of(0), Buffer.of(0, 0, 0, 0), Buffer.from("behind")]) {
        assert.strictEqual(outcome(name, Buffer.concat([whole, behind])), "Invalid")
      }
    })
    it("never throws for what is in its input", () => {
      for (let at = 0; at < whole.length; at++) {
        for (const flip of [0x01, 0x80, 0xff]) {
          const broken = Buffer.from(whole)
          broken[at]! ^= flip
          const found = compressorOf(name).decompress(broken, 10_000)
          assert.include(["Decompressed", "Invalid", "TooLarge"], found._tag)
        }
      }
      for (const other of names) {
        if (other !== name) assert.strictEqual(outcome(name, native[other][0](text)), "Invalid")
      }
    })
  })
}

it("RFC 1952 §2.2: members of gzip may follow each other", () => {
  const two = Buffer.concat([Zlib.gzipSync("one "), Zlib.gzipSync("two")])
  assert.strictEqual(outcome("gzip", two), "one two")
  assert.strictEqual(outcome("gzip", two, 6), "TooLarge")
  assert.strictEqual(outcome("gzip", two.subarray(0, -1)), "Invalid")
})
for (const name of ["deflate", "zstd"] as const) {
  it(`${name}: another one behind the first is invalid`, () => {
    const one = native[name][0](text)
    assert.strictEqual(outcome(name, Buffer.concat([one, one])), "Invalid")
  })
}
it("RFC 1950: a preset dictionary is one that nobody has", () => {
  assert.strictEqual(outcome("deflate", Zlib.deflateSync(text, { dictionary: Buffer.from("message") })), "Invalid")
})
it("RFC 8878 §3.1.1.1.2: a window above 8 MiB is refused", () => {
  // Magic number, no content size in the frame, the window, an empty last block.
  const frame = (windowLog: number) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3, 1, 0, 0])
  assert.strictEqual(outcome("zstd", frame(23)), "")
  assert.strictEqual(outcome("zstd", frame(24)), "Invalid")
})

describe("options", () => {
  it("levels", () => {
    const words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
    const content = Buffer.from(
      Array.from({ length: 5_000 }, (_, at) => words[((at * at * 31 + at) % 127) % 8]).join(" ")
    )
    const fast = NodeGrpcCompression.make({ level: 1, zstdLevel: 1 })
    const small = NodeGrpcCompression.make({ level: 9, zstdLevel: 19 })
    for (const name of names) {
      const [more, less] = [fast, small].map((from) => compressorOf(name, from).compress(content).length)
      assert.isAbove(more!, less!, name)
    }
  })
  for (const options of [{ level: 0 }, { level: 10 }, { level: 1.5 }, { zstdLevel: 0 }, { zstdLevel: 20 }]) {
    it.effect(JSON.stringify(options), () =>
      Effect.gen(function* () {
        assert.throws(() => NodeGrpcCompression.make(options), RangeError)
        const exit = yield* Effect.exit(Effect.provide(GrpcCompression, NodeGrpcCompression.layer(options)))
        assert.isTrue(Exit.hasDies(exit))
      })
    )
  }
})

describe("is what programs on Node find", () => {
  const found = Effect.map(GrpcCompression, ({ acceptText }) => acceptText)
  const rows = [
    ["its own layer", NodeGrpcCompression.layer()],
    ["a web server", NodeWebServer.layer({ host: "127.0.0.1", port: 0 })],
    ["a dialer", NodeTransport.layerDialer()],
    ["NodeServices", NodeServices.layer]
  ] as const
  for (const [name, layer] of rows) {
    it.effect(name, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* Effect.provide(found, layer), "identity,gzip,deflate,zstd")
      })
    )
  }
  it.effect("unless others stand beside it", () =>
    Effect.gen(function* () {
      const own = Layer.succeed(GrpcCompression)(GrpcEncoding.none)
      const layer = Layer.mergeAll(NodeTransport.layerDialer(), own)
      assert.strictEqual(yield* Effect.provide(found, layer), "identity")
    })
  )
})
