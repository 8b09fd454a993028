import { assert, describe, it } from "@effect/vitest"
import * as GrpcAttempts from "@sluice/core/grpc/client/GrpcAttempts"
import * as GrpcChannelOptions from "@sluice/core/grpc/client/GrpcChannelOptions"
import * as GrpcServiceConfig from "@sluice/core/grpc/client/GrpcServiceConfig"
import * as Effect from "effect/Effect"

describe("resolve", () => {
  it("has defaults", () => {
    const { limits, ...resolved } = GrpcChannelOptions.resolve({})
    assert.deepStrictEqual(resolved, {
      connectMillis: 20_000,
      connectionCount: 4,
      drainMillis: 5000,
      waiting: { waitingCount: 1024, waitingMillis: 30_000 }
    })
    assert.deepInclude(limits, {
      idleMillis: 1_800_000,
      bodyMillis: Number.POSITIVE_INFINITY,
      sendMillis: 300_000,
      pingIntervalMillis: 360_000,
      connectionWindowBytes: 2_147_483_647
    })
  })

  it("takes what HTTP/2 takes", () => {
    const { limits } = GrpcChannelOptions.resolve({
      pingInterval: 1000,
      idleTimeout: "unbounded",
      streamWindow: 70_000
    })
    assert.deepInclude(limits, {
      pingIntervalMillis: 1000,
      idleMillis: Number.POSITIVE_INFINITY,
      streamWindowBytes: 70_000
    })
  })

  const wrong: ReadonlyArray<GrpcChannelOptions.Options> = [
    { connectTimeout: 0 },
    { maxConnections: 0 },
    { maxWaiting: -1 },
    { waitTimeout: 0 },
    { drainTimeout: 0 },
    { idleTimeout: 0 }
  ]
  for (const options of wrong) {
    it(`${JSON.stringify(options)} makes no sense`, () => {
      assert.throws(() => GrpcChannelOptions.resolve(options), RangeError)
    })
  }
})

describe("callDefaults", () => {
  it.effect("has defaults", () =>
    Effect.gen(function* () {
      const { attempts, userAgent, ...rest } = yield* GrpcChannelOptions.callDefaults({})
      assert.strictEqual(attempts, GrpcAttempts.once)
      assert.match(userAgent, /^grpc-js-sluice\/\d+\.\d+\.\d+$/)
      assert.deepStrictEqual(rest, {
        interceptors: [],
        timeoutMillis: Number.POSITIVE_INFINITY,
        waitForReady: false,
        compression: undefined,
        maxReceiveBytes: 4_194_304,
        maxSendBytes: Number.POSITIVE_INFINITY,
        observers: [],
        methods: undefined
      })
    })
  )

  it.effect("takes what it is told", () =>
    Effect.gen(function* () {
      const serviceConfig = GrpcServiceConfig.empty
      const { attempts, ...rest } = yield* GrpcChannelOptions.callDefaults({
        timeout: "3 seconds",
        waitForReady: true,
        compression: "gzip",
        maxReceiveMessageSize: 10,
        maxSendMessageSize: 20,
        userAgent: "shop/1.0",
        serviceConfig
      })
      assert.notStrictEqual(attempts, GrpcAttempts.once)
      assert.match(rest.userAgent, /^shop\/1\.0 grpc-js-sluice/)
      assert.deepInclude(rest, {
        timeoutMillis: 3000,
        waitForReady: true,
        compression: "gzip",
        maxReceiveBytes: 10,
        maxSendBytes: 20,
        methods: serviceConfig
      })
    })
  )

  it.effect("takes messages of any size where it is told to", () =>
    Effect.gen(function* () {
      const options = { maxReceiveMessageSize: "unbounded", maxSendMessageSize: "unbounded" } as const
      const { maxReceiveBytes, maxSendBytes } = yield* GrpcChannelOptions.callDefaults(options)
      assert.deepStrictEqual([maxReceiveBytes, maxSendBytes], [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
    })
  )
})
