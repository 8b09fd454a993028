import { JsonLines, SchemaCodec, TcpServer } from "@sluice/core"
import { NodeMain, NodeTransport } from "@sluice/node"
import { Effect, Layer, Schema } from "effect"

const Question = Schema.Struct({ add: Schema.Array(Schema.Number) })
const Answer = Schema.Union([Schema.Struct({ sum: Schema.Number }), Schema.Struct({ error: Schema.String })])

const questions = SchemaCodec.make(JsonLines.codec, Question)
const answers = SchemaCodec.make(JsonLines.codec, Answer)

/** `{"add":[1,2]}` is answered by `{"sum":3}`; a bad question by an error, and the next one is read. */
export const Adder = TcpServer.serve((connection) =>
  Effect.gen(function* () {
    const receiving = connection.framed(questions)
    const sending = connection.framed(answers)
    const sum = Effect.map(receiving.receive, ({ add }) => ({ sum: add.reduce((total, one) => total + one, 0) }))
    while (true) {
      const answer = yield* Effect.catchTag(sum, "CodecError", (error) =>
        error.reason.recoverable ? Effect.succeed({ error: error.reason._tag }) : Effect.fail(error)
      )
      yield* sending.send(answer)
    }
  })
)

const Main = Adder.pipe(
  Layer.provide(TcpServer.layer()),
  Layer.provide(NodeTransport.layerListener({ host: "127.0.0.1", port: 7000 }))
)

if (import.meta.main) NodeMain.run(Main)
