import { X509Certificate } from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { TlsCertificates } from "@sluice/core/transport/Tls"
import * as NodeCertificates from "@sluice/node/NodeCertificates"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { identity, trusting } from "../harness/Certificates.ts"
import { leaveNoHandles } from "../harness/NodeHandles.ts"
import { dialTo, listen, local, reasonOf, take, temporaryDirectory, tlsFile, tlsText } from "../harness/NodeNet.ts"
import { bytes, echo, record } from "../harness/TransportContract.ts"

leaveNoHandles()

const quick = { debounce: "20 millis" } as const

const shown = (certificates: TlsCertificates, serverName?: string): string =>
  new X509Certificate(certificates.resolve(serverName).certificate).subject

const filesOf = (name: string) => ({ certificate: tlsFile(`${name}.pem`), key: tlsFile(`${name}.key`) })

/** A directory with the pair of `name` in `tls.crt` and `tls.key`. */
const written = Effect.fnUntraced(function* (name: string) {
  const directory = yield* temporaryDirectory
  const source = { certificate: Path.join(directory, "tls.crt"), key: Path.join(directory, "tls.key") }
  const write = (name: string) => {
    Fs.writeFileSync(source.certificate, tlsText(`${name}.pem`))
    Fs.writeFileSync(source.key, tlsText(`${name}.key`))
  }
  write(name)
  return { directory, source, write }
})

/** The next change, listened for from now on. */
const nextChange = (certificates: NodeCertificates.FileCertificates) =>
  Effect.forkChild(Effect.map(Stream.runHead(certificates.changes), Option.getOrUndefined), {
    startImmediately: true
  })

describe("server names", () => {
  it.effect("the names of the certificate, its wildcard for one label; the first for all others", () =>
    Effect.gen(function* () {
      const certificates = yield* NodeCertificates.fromFiles([filesOf("a"), filesOf("b")])
      for (const name of ["b.test", "B.TEST", "x.b.test"])
        assert.strictEqual(shown(certificates, name), "CN=b.test", name)
      for (const name of ["a.test", "x.y.b.test", "c.test", "", undefined]) {
        assert.strictEqual(shown(certificates, name), "CN=a.test", name)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("names that are given replace those of the certificate", () =>
    Effect.gen(function* () {
      const certificates = yield* NodeCertificates.fromPem([
        identity("a"),
        { ...identity("b"), serverNames: ["*.Example.test", "example.test"] }
      ])
      for (const name of ["example.test", "www.example.test"]) {
        assert.strictEqual(shown(certificates, name), "CN=b.test", name)
      }
      for (const name of ["b.test", "a.b.example.test", "test", ".example.test.evil"]) {
        assert.strictEqual(shown(certificates, name), "CN=a.test", name)
      }
    })
  )

  it.effect("the same object for the same certificate", () =>
    Effect.gen(function* () {
      const certificates = yield* NodeCertificates.fromFiles(filesOf("a"))
      const before = certificates.resolve(undefined)
      yield* certificates.reload
      assert.strictEqual(certificates.resolve(undefined), before)
    }).pipe(Effect.scoped)
  )
})

describe("files that cannot be used", () => {
  it.effect("a missing file is named", () =>
    Effect.gen(function* () {
      const missing = { ...filesOf("a"), key: tlsFile("none.key") }
      const reason = yield* reasonOf(NodeCertificates.fromFiles(missing), "CertificateInvalid")
      assert.strictEqual(reason.source, missing.key)
    }).pipe(Effect.scoped)
  )

  it.effect("a key that does not fit, a certificate that is none", () =>
    Effect.gen(function* () {
      const wrongKey = { ...filesOf("a"), key: tlsFile("b.key") }
      const reason = yield* reasonOf(NodeCertificates.fromFiles(wrongKey), "CertificateInvalid")
      assert.include(reason.source, wrongKey.certificate)
      const noPem = { ...filesOf("a"), certificate: tlsFile("README.md") }
      yield* reasonOf(NodeCertificates.fromFiles(noPem), "CertificateInvalid")
      yield* reasonOf(NodeCertificates.fromPem({ ...identity("a"), certificate: "" }), "CertificateInvalid")
    }).pipe(Effect.scoped)
  )
})

describe("files that cannot be read", () => {
  it.effect("a directory in place of a file is named", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      for (const source of [
        { ...filesOf("a"), certificate: directory },
        { ...filesOf("a"), key: directory }
      ]) {
        const reason = yield* reasonOf(NodeCertificates.fromFiles(source), "CertificateInvalid")
        assert.strictEqual(reason.source, directory)
        assert.include(reason.detail, "EISDIR")
      }
    }).pipe(Effect.scoped)
  )

  it.effect("a file without PEM is named", () =>
    Effect.gen(function* () {
      const text = tlsFile("README.md")
      for (const source of [
        { ...filesOf("a"), certificate: text },
        { ...filesOf("a"), key: text }
      ]) {
        const reason = yield* reasonOf(NodeCertificates.fromFiles(source), "CertificateInvalid")
        assert.strictEqual(reason.source, text)
      }
      const pem = yield* reasonOf(
        NodeCertificates.fromPem([identity("a"), { ...identity("b"), certificate: "none" }]),
        "CertificateInvalid"
      )
      assert.strictEqual(pem.source, "the certificate of PEM 1")
    }).pipe(Effect.scoped)
  )
})

describe("files that change", () => {
  it.live("the next handshake sees the new certificate, an open connection lives on", () =>
    Effect.gen(function* () {
      const { source, write } = yield* written("a")
      const certificates = yield* NodeCertificates.fromFiles(source, quick)
      const { listener, transports } = yield* listen({ ...local, tls: { certificates } })
      const tls = trusting("a.test", { verification: "skip" })
      const before = yield* dialTo(listener.address, { tls })
      echo(yield* take(transports))

      const change = yield* nextChange(certificates)
      write("b")
      assert.deepStrictEqual(yield* Fiber.join(change), { _tag: "Reloaded", source: source.certificate })

      const after = yield* dialTo(listener.address, { tls })
      assert.strictEqual(before.tls?.peerCertificate?.subject, "CN=a.test")
      assert.strictEqual(after.tls?.peerCertificate?.subject, "CN=b.test")
      const received = record(before)
      before.write(bytes("still here"))
      yield* received.until((self) => self.text === "still here")
    }).pipe(Effect.scoped)
  )

  it.live("a broken file is reported once, the old certificate stays, and a good one comes in", () =>
    Effect.gen(function* () {
      const { source, write } = yield* written("a")
      const certificates = yield* NodeCertificates.fromFiles(source, quick)
      const broken = yield* nextChange(certificates)
      Fs.writeFileSync(source.key, tlsText("b.key"))
      const reported = yield* Fiber.join(broken)
      assert.strictEqual(reported?._tag, "ReloadFailed")
      assert.strictEqual(shown(certificates), "CN=a.test")
      yield* reasonOf(certificates.reload, "CertificateInvalid")

      const repaired = yield* nextChange(certificates)
      write("b")
      assert.strictEqual((yield* Fiber.join(repaired))?._tag, "Reloaded")
      assert.strictEqual(shown(certificates), "CN=b.test")
    }).pipe(Effect.scoped, Effect.provide(Logger.layer([])))
  )

  it.live("a file that is replaced by a rename is still watched", () =>
    Effect.gen(function* () {
      const { source, write } = yield* written("a")
      const certificates = yield* NodeCertificates.fromFiles(source, quick)
      for (const name of ["b", "a"] as const) {
        const change = yield* nextChange(certificates)
        Fs.writeFileSync(`${source.certificate}.new`, tlsText(`${name}.pem`))
        Fs.writeFileSync(`${source.key}.new`, tlsText(`${name}.key`))
        Fs.renameSync(`${source.certificate}.new`, source.certificate)
        Fs.renameSync(`${source.key}.new`, source.key)
        assert.strictEqual((yield* Fiber.join(change))?._tag, "Reloaded")
        assert.strictEqual(shown(certificates), `CN=${name}.test`)
      }
      write("a")
    }).pipe(Effect.scoped)
  )

  it.live("a directory behind a symbolic link that is swapped, as Kubernetes does", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const inside = (...names: ReadonlyArray<string>) => Path.join(directory, ...names)
      for (const name of ["a", "b"]) {
        Fs.mkdirSync(inside(name))
        Fs.copyFileSync(tlsFile(`${name}.pem`), inside(name, "tls.crt"))
        Fs.copyFileSync(tlsFile(`${name}.key`), inside(name, "tls.key"))
      }
      Fs.symlinkSync("a", inside("..data"))
      Fs.symlinkSync("..data/tls.crt", inside("tls.crt"))
      Fs.symlinkSync("..data/tls.key", inside("tls.key"))
      const source = { certificate: inside("tls.crt"), key: inside("tls.key") }
      const certificates = yield* NodeCertificates.fromFiles(source, quick)
      const change = yield* nextChange(certificates)
      Fs.symlinkSync("b", inside("..data_tmp"))
      Fs.renameSync(inside("..data_tmp"), inside("..data"))
      assert.strictEqual((yield* Fiber.join(change))?._tag, "Reloaded")
      assert.strictEqual(shown(certificates), "CN=b.test")
    }).pipe(Effect.scoped)
  )

  it.live("polling finds what no watcher told", () =>
    Effect.gen(function* () {
      const { directory, source } = yield* written("a")
      // A link to a link elsewhere: nothing changes in the directory that is watched.
      const elsewhere = yield* temporaryDirectory
      const linked = { certificate: Path.join(elsewhere, "tls.crt"), key: Path.join(elsewhere, "tls.key") }
      Fs.symlinkSync(source.certificate, linked.certificate)
      Fs.symlinkSync(source.key, linked.key)
      const certificates = yield* NodeCertificates.fromFiles(linked, { ...quick, pollInterval: "30 millis" })
      const change = yield* nextChange(certificates)
      Fs.copyFileSync(tlsFile("b.pem"), Path.join(directory, "tls.crt"))
      Fs.copyFileSync(tlsFile("b.key"), Path.join(directory, "tls.key"))
      yield* Fiber.join(change)
      yield* certificates.reload
      assert.strictEqual(shown(certificates), "CN=b.test")
    }).pipe(Effect.scoped)
  )
})
