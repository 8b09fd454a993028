/**
 * What TLS needs and what it tells, in words that name no platform.
 *
 * A server does not hold certificates: it asks `TlsCertificates` for the
 * identity of a server name at every handshake. So a new certificate serves
 * the next handshake, and connections that are open stay as they are.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"

/**
 * A certificate chain and its private key, as PEM.
 *
 * Transports keep the parsed form by the identity of this object: hand out the
 * same object for the same certificate.
 *
 * @category models
 */
export interface TlsIdentity {
  /** The leaf first, then its intermediates. */
  readonly certificate: string | Uint8Array
  readonly key: Redacted.Redacted<string | Uint8Array>
  readonly passphrase?: Redacted.Redacted<string> | undefined
}

/**
 * The certificates of a server, as they are now.
 *
 * @category models
 */
export interface TlsCertificates {
  /**
   * The identity to show to a client that asked for `serverName` (SNI), or for
   * no name. Called at every handshake; must be quick and must not throw.
   */
  readonly resolve: (serverName: string | undefined) => TlsIdentity
}

/** @category options */
export interface TlsServerOptions {
  readonly certificates: TlsCertificates | TlsIdentity
  /** Protocols offered by ALPN, the preferred first. Default: none, and a client's offer is ignored. */
  readonly alpnProtocols?: ReadonlyArray<string> | undefined
  /**
   * Client certificates: `none` asks for none; `request` asks and reports the
   * verdict in `TlsInfo.authorized`; `require` refuses a client without a
   * certificate that `authorities` vouch for. Default `none`.
   */
  readonly clientCertificates?: "none" | "request" | "require" | undefined
  /** PEM of the authorities that may vouch for client certificates. Default: the platform's. */
  readonly authorities?: string | Uint8Array | ReadonlyArray<string | Uint8Array> | undefined
  /** Longest handshake, above 0 and at most 24.8 days. Default 10 seconds. */
  readonly handshakeTimeout?: Duration.Input | undefined
  /** Oldest version that is spoken. Default `TLSv1.2`. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined
}

/** @category options */
export interface TlsClientOptions {
  /** The name to ask for (SNI) and to verify. Default: the host that was dialed, unless it is an IP address. */
  readonly serverName?: string | undefined
  /** Protocols offered by ALPN, the preferred first. Default: none. */
  readonly alpnProtocols?: ReadonlyArray<string> | undefined
  /** PEM of the authorities to trust instead of the platform's. */
  readonly authorities?: string | Uint8Array | ReadonlyArray<string | Uint8Array> | undefined
  /** The client certificate to show when the server asks for one. */
  readonly identity?: TlsIdentity | undefined
  /**
   * `verify` refuses a server whose certificate does not prove its name;
   * `skip` takes any, and is for tests only. Default `verify`.
   */
  readonly verification?: "verify" | "skip" | undefined
  /** Longest handshake, above 0 and at most 24.8 days. Default 10 seconds. */
  readonly handshakeTimeout?: Duration.Input | undefined
  /** Oldest version that is spoken. Default `TLSv1.2`. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined
}

/**
 * An upgrade of an open transport to TLS (STARTTLS), for either role.
 *
 * @category options
 */
export type TlsUpgrade =
  | ({ readonly role: "client" } & TlsClientOptions)
  | ({ readonly role: "server" } & TlsServerOptions)

/**
 * The certificate that the peer showed.
 *
 * @category models
 */
export interface PeerCertificate {
  /** The distinguished name of its subject, such as `CN=client.test`. */
  readonly subject: string
  readonly issuer: string
  /** SHA-256 of the DER form, lower-case hexadecimal without separators. */
  readonly fingerprint256: string
  readonly serialNumber: string
  readonly validFromMillis: number
  readonly validToMillis: number
  /** `DNS:` and `IP Address:` entries as the platform writes them, separated by `, `. */
  readonly subjectAltName: string | undefined
  /** The certificate in DER. */
  readonly raw: Uint8Array
}

/**
 * What a handshake agreed on.
 *
 * @category models
 */
export interface TlsInfo {
  /** Such as `TLSv1.3`. */
  readonly protocol: string
  /** The cipher suite's IANA name. */
  readonly cipher: string
  /** The protocol agreed by ALPN. `undefined`: none was. */
  readonly alpnProtocol: string | undefined
  /**
   * The name that the client asked for (SNI). `undefined` when it asked for
   * none, and for a session that was resumed with TLS 1.2, where the platform
   * does not tell it: do not choose a tenant by it.
   */
  readonly serverName: string | undefined
  /** Whether the peer's certificate was verified. `false` also when it showed none. */
  readonly authorized: boolean
  readonly peerCertificate: PeerCertificate | undefined
}
