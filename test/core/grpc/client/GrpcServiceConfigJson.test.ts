import { assert, describe, it } from "@effect/vitest"
import * as GrpcServiceConfigJson from "@sluice/core/grpc/client/GrpcServiceConfigJson"
import * as GrpcMethod from "@sluice/core/grpc/GrpcMethod"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import * as Effect from "effect/Effect"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"

const [sayHello, streamHellos] = GrpcMethod.of(Greeter) as [GrpcMethod.GrpcMethod, GrpcMethod.GrpcMethod]

const full = `{
  "loadBalancingConfig": [{ "round_robin": {} }],
  "methodConfig": [
    {
      "name": [{ "service": "hello.Greeter", "method": "SayHello" }],
      "waitForReady": true,
      "timeout": "1.000000001s",
      "maxRequestMessageBytes": 1024,
      "maxResponseMessageBytes": "4194304",
      "retryPolicy": {
        "maxAttempts": 4,
        "initialBackoff": ".1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 1.5,
        "retryableStatusCodes": ["UNAVAILABLE", 8]
      }
    },
    {
      "name": [{ "service": "hello.Greeter" }, { "service": "hello.Other" }],
      "timeout": null,
      "hedgingPolicy": { "maxAttempts": 3, "hedgingDelay": "0.5s", "nonFatalStatusCodes": ["INTERNAL", 10] }
    }
  ],
  "retryThrottling": { "maxTokens": 10, "tokenRatio": 0.1 },
  "of the future": 1
}`

const retry = (change: Record<string, unknown>) => ({
  methodConfig: [
    {
      name: [{}],
      retryPolicy: {
        maxAttempts: 2,
        initialBackoff: "1s",
        maxBackoff: "1s",
        backoffMultiplier: 1,
        retryableStatusCodes: [14],
        ...change
      }
    }
  ]
})
const method = (fields: Record<string, unknown>) => ({ methodConfig: [{ name: [{}], ...fields }] })

const wrong: ReadonlyArray<readonly [json: unknown, path: string]> = [
  ["{", ""],
  ["[]", ""],
  [7, ""],
  [null, ""],
  [{ methodConfig: {} }, "methodConfig"],
  [{ methodConfig: [1] }, "methodConfig[0]"],
  [{ methodConfig: [{ name: "all" }] }, "methodConfig[0].name"],
  [{ methodConfig: [{ name: [{ service: 1 }] }] }, "methodConfig[0].name[0].service"],
  [{ methodConfig: [{ name: [{ method: "A" }] }] }, "methodConfig[0].name[0]"],
  [{ methodConfig: [{ name: [{ service: "a" }] }, { name: [{ service: "a" }] }] }, "methodConfig[1].name[0]"],
  [method({ waitForReady: "yes" }), "methodConfig[0].waitForReady"],
  [method({ timeout: 1 }), "methodConfig[0].timeout"],
  [method({ timeout: "1" }), "methodConfig[0].timeout"],
  [method({ timeout: "s" }), "methodConfig[0].timeout"],
  [method({ timeout: ".s" }), "methodConfig[0].timeout"],
  [method({ timeout: "-1s" }), "methodConfig[0].timeout"],
  [method({ timeout: "0s" }), "methodConfig[0].timeout"],
  [method({ timeout: "1.0000000001s" }), "methodConfig[0].timeout"],
  [method({ timeout: "315576000001s" }), "methodConfig[0].timeout"],
  [method({ maxRequestMessageBytes: -1 }), "methodConfig[0].maxRequestMessageBytes"],
  [method({ maxResponseMessageBytes: "many" }), "methodConfig[0].maxResponseMessageBytes"],
  [method({ retryPolicy: [] }), "methodConfig[0].retryPolicy"],
  [retry({ maxAttempts: undefined }), "methodConfig[0].retryPolicy.maxAttempts"],
  [retry({ maxAttempts: 1 }), "methodConfig[0].retryPolicy.maxAttempts"],
  [retry({ initialBackoff: undefined }), "methodConfig[0].retryPolicy.initialBackoff"],
  [retry({ initialBackoff: "0s" }), "methodConfig[0].retryPolicy.initialBackoff"],
  [retry({ maxBackoff: "0.0s" }), "methodConfig[0].retryPolicy.maxBackoff"],
  [retry({ backoffMultiplier: 0 }), "methodConfig[0].retryPolicy.backoffMultiplier"],
  [retry({ retryableStatusCodes: [] }), "methodConfig[0].retryPolicy.retryableStatusCodes"],
  [retry({ retryableStatusCodes: ["OK"] }), "methodConfig[0].retryPolicy.retryableStatusCodes[0]"],
  [retry({ retryableStatusCodes: [14, "unavailable"] }), "methodConfig[0].retryPolicy.retryableStatusCodes[1]"],
  [retry({ retryableStatusCodes: [17] }), "methodConfig[0].retryPolicy.retryableStatusCodes[0]"],
  [method({ hedgingPolicy: { maxAttempts: "x" } }), "methodConfig[0].hedgingPolicy.maxAttempts"],
  [method({ hedgingPolicy: { maxAttempts: 2, hedgingDelay: "s" } }), "methodConfig[0].hedgingPolicy.hedgingDelay"],
  [
    method({ hedgingPolicy: { maxAttempts: 2, nonFatalStatusCodes: [0] } }),
    "methodConfig[0].hedgingPolicy.nonFatalStatusCodes[0]"
  ],
  [
    { methodConfig: [{ ...retry({}).methodConfig[0], hedgingPolicy: { maxAttempts: 2 } }] },
    "methodConfig[0].hedgingPolicy"
  ],
  [{ retryThrottling: {} }, "retryThrottling.maxTokens"],
  [{ retryThrottling: { maxTokens: 1001, tokenRatio: 1 } }, "retryThrottling.maxTokens"],
  [{ retryThrottling: { maxTokens: 10, tokenRatio: 0 } }, "retryThrottling.tokenRatio"]
]

describe("GrpcServiceConfigJson", () => {
  for (const [form, json] of [
    ["text", full],
    ["value", JSON.parse(full) as unknown]
  ] as const) {
    it.effect(`reads the official JSON as a ${form}`, () =>
      Effect.gen(function* () {
        const config = yield* GrpcServiceConfigJson.parse(json)
        assert.deepStrictEqual(config.throttling, { maxTokens: 10, tokenRatio: 0.1 })
        assert.deepStrictEqual(config.methodOf(sayHello), {
          timeoutMillis: 1000.000001,
          waitForReady: true,
          maxRequestBytes: 1024,
          maxResponseBytes: 4194304,
          retry: {
            maxAttempts: 4,
            initialBackoffMillis: 100,
            maxBackoffMillis: 1000,
            backoffMultiplier: 1.5,
            retryable: new Set([GrpcStatus.Unavailable, GrpcStatus.ResourceExhausted] as const)
          },
          hedging: undefined
        })
        assert.deepStrictEqual(config.methodOf(streamHellos), {
          timeoutMillis: undefined,
          waitForReady: undefined,
          maxRequestBytes: undefined,
          maxResponseBytes: undefined,
          retry: undefined,
          hedging: {
            maxAttempts: 3,
            delayMillis: 500,
            nonFatal: new Set([GrpcStatus.Internal, GrpcStatus.Aborted] as const)
          }
        })
      })
    )
  }

  it.effect("takes an empty configuration, and null for what is absent", () =>
    Effect.gen(function* () {
      for (const json of ["{}", `{ "methodConfig": null, "retryThrottling": null }`]) {
        const config = yield* GrpcServiceConfigJson.parse(json)
        assert.strictEqual(config.throttling, undefined)
        assert.strictEqual(config.methodOf(sayHello).retry, undefined)
      }
    })
  )

  for (const [json, path] of wrong) {
    it.effect(`refuses ${JSON.stringify(json)}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(GrpcServiceConfigJson.parse(json))
        assert.deepStrictEqual([error._tag, error.path], ["GrpcServiceConfigError", path])
      })
    )
  }
})
