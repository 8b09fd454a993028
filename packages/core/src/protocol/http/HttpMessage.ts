/**
 * Words about messages that hold in every version of HTTP (RFC 9110): methods,
 * statuses, and which messages have content.
 *
 * @since 0.1.0
 */

/**
 * The reason phrase of a status (RFC 9110 §15 and the IANA registry); an empty
 * text for one that is not registered.
 *
 * @category statuses
 */
export const reasonPhrase = (status: number): string => phrases[status] ?? ""

/** Whether a number is a status: three digits, in one of the five classes (RFC 9110 §15). @category statuses */
export const isStatus = (status: number): boolean => Number.isInteger(status) && status >= 100 && status <= 599

/** RFC 9110 §15.2: more responses follow this one. 101 ends the protocol instead. @category statuses */
export const isInterim = (status: number): boolean => status >= 100 && status < 200

/**
 * Whether the head of a response is all of it (RFC 9112 §6.3, rules 1 and 2):
 * the answer to HEAD, 1xx, 204, 304, and a 2xx to CONNECT, behind which a
 * tunnel begins.
 *
 * @category statuses
 */
export const isBodiless = (method: string, status: number): boolean =>
  status === 204 || status === 304 || status < 200 || method === "HEAD" || isTunnel(method, status)

/** RFC 9110 §9.3.6: whether the connection is a tunnel after this response. @category statuses */
export const isTunnel = (method: string, status: number): boolean =>
  method === "CONNECT" && status >= 200 && status < 300

/**
 * RFC 9110 §8.6: whether a response may say how long its content is. "MUST NOT
 * send a Content-Length header field" with 1xx or 204, nor in a 2xx to CONNECT.
 *
 * @category statuses
 */
export const mayHaveLength = (method: string, status: number): boolean =>
  status >= 200 && status !== 204 && !isTunnel(method, status)

/**
 * RFC 9110 §8.6: whether a request of this method says how long its content is
 * even when there is none, because its "method semantics anticipate such data".
 *
 * @category methods
 */
export const anticipatesContent = (method: string): boolean =>
  method === "POST" || method === "PUT" || method === "PATCH"

/** RFC 9110 §9.2.2: doing it again has no further effect. @category methods */
export const isIdempotent = (method: string): boolean => idempotent.has(method)

const idempotent: ReadonlySet<string> = /*#__PURE__*/ new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])

const phrases: { readonly [status: number]: string } = {
  100: "Continue",
  101: "Switching Protocols",
  102: "Processing",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  207: "Multi-Status",
  208: "Already Reported",
  226: "IM Used",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  305: "Use Proxy",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  418: "I'm a Teapot",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  423: "Locked",
  424: "Failed Dependency",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  506: "Variant Also Negotiates",
  507: "Insufficient Storage",
  508: "Loop Detected",
  510: "Not Extended",
  511: "Network Authentication Required"
}
