import { assert, describe, it } from "@effect/vitest"
import * as GrpcServiceConfig from "@sluice/core/grpc/client/GrpcServiceConfig"
import * as GrpcMethod from "@sluice/core/grpc/GrpcMethod"
import * as GrpcStatus from "@sluice/core/protocol/grpc/GrpcStatus"
import { Greeter } from "../../../harness/protobuf/hello_pb.ts"

const [sayHello, streamHellos] = GrpcMethod.of(Greeter) as [GrpcMethod.GrpcMethod, GrpcMethod.GrpcMethod]

const retryPolicy = {
  maxAttempts: 3,
  initialBackoff: "100 millis",
  maxBackoff: "1 second",
  backoffMultiplier: 2,
  retryableStatusCodes: [GrpcStatus.Unavailable]
} as const

const entry = (names: ReadonlyArray<GrpcServiceConfig.Name>, timeout: number): GrpcServiceConfig.MethodOptions => ({
  names,
  timeout
})
const exact = entry([{ service: "hello.Greeter", method: "SayHello" }], 1)
const service = entry([{ service: "hello.Greeter" }], 2)
const all = entry([{}], 3)
const other = entry([{ service: "hello.Other" }, { service: "hello.Greeter", method: "sayHello" }], 4)

/** Of SayHello and StreamHellos. */
const timeouts: ReadonlyArray<
  readonly [
    rule: string,
    methods: ReadonlyArray<GrpcServiceConfig.MethodOptions>,
    expected: ReadonlyArray<number | undefined>
  ]
> = [
  ["nothing is said of what no entry names", [other], [undefined, undefined]],
  ["a method is before its service, and that before all", [all, service, exact], [1, 2]],
  ["in any order", [exact, service, all], [1, 2]],
  ["an entry for all is for what no other names", [exact, all], [1, 3]],
  ["an entry without names is for nothing", [entry([], 9)], [undefined, undefined]],
  ["an empty name is none", [entry([{ service: "", method: "" }], 5)], [5, 5]],
  ["an entry may have many names", [entry([...exact.names, ...other.names], 6)], [6, undefined]]
]

const wrong: ReadonlyArray<readonly [path: string, GrpcServiceConfig.Options]> = [
  ["methods[0].names[0]", { methods: [{ names: [{ method: "SayHello" }] }] }],
  ["methods[1].names[0]", { methods: [service, service] }],
  ["methods[0].names[1]", { methods: [{ names: [{}, { service: "" }] }] }],
  ["methods[0].timeout", { methods: [entry([{}], 0)] }],
  ["methods[0].maxRequestSize", { methods: [{ names: [], maxRequestSize: -1 }] }],
  ["methods[0].maxResponseSize", { methods: [{ names: [], maxResponseSize: 0.5 }] }],
  ["methods[0].retryPolicy.maxAttempts", { methods: [{ names: [], retryPolicy: { ...retryPolicy, maxAttempts: 1 } }] }],
  ["methods[0].hedgingPolicy.maxAttempts", { methods: [{ names: [], hedgingPolicy: { maxAttempts: 1 } }] }],
  ["methods[0].hedgingPolicy", { methods: [{ names: [], retryPolicy, hedgingPolicy: { maxAttempts: 2 } }] }],
  ["throttling.maxTokens", { throttling: { maxTokens: 0, tokenRatio: 1 } }]
]

describe("GrpcServiceConfig", () => {
  for (const [rule, methods, expected] of timeouts) {
    it(`service_config.md: ${rule}`, () => {
      const config = GrpcServiceConfig.make({ methods })
      assert.deepStrictEqual(
        [sayHello, streamHellos].map((method) => config.methodOf(method).timeoutMillis),
        expected
      )
    })
  }

  it("an entry counts alone: what it does not say, a less exact one does not say for it", () => {
    const config = GrpcServiceConfig.make({ methods: [exact, { names: [{}], waitForReady: true }] })
    assert.strictEqual(config.methodOf(sayHello).waitForReady, undefined)
    assert.strictEqual(config.methodOf(streamHellos).waitForReady, true)
  })

  it("converts what it says of a method, once", () => {
    const config = GrpcServiceConfig.make({
      methods: [
        {
          names: [{}],
          timeout: "2 seconds",
          waitForReady: false,
          maxRequestSize: "1 KiB",
          maxResponseSize: 0,
          retryPolicy
        }
      ]
    })
    const method = config.methodOf(sayHello)
    assert.deepStrictEqual(method, {
      timeoutMillis: 2000,
      waitForReady: false,
      maxRequestBytes: 1024,
      maxResponseBytes: 0,
      retry: {
        maxAttempts: 3,
        initialBackoffMillis: 100,
        maxBackoffMillis: 1000,
        backoffMultiplier: 2,
        retryable: new Set([GrpcStatus.Unavailable] as const)
      },
      hedging: undefined
    })
    assert.strictEqual(config.methodOf(sayHello), method)
    assert.strictEqual(GrpcServiceConfig.empty.methodOf(sayHello), GrpcServiceConfig.empty.methodOf(streamHellos))
  })

  for (const [path, options] of wrong) {
    it(`refuses ${path}`, () => {
      assert.strictEqual(GrpcServiceConfig.problem(options)?.[0], path)
      assert.throws(() => GrpcServiceConfig.make(options), RangeError, path)
    })
  }
})
