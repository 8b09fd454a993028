/** Lists of fields that the cases of HPACK encode and decode. */

export const lists = {
  /** What a browser sends with each request. */
  browser: [
    [":method", "GET"],
    [":scheme", "https"],
    [":authority", "www.example.com"],
    [":path", "/articles/42?page=2"],
    [
      "user-agent",
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
    ],
    ["accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"],
    ["sec-fetch-site", "same-origin"],
    ["sec-fetch-mode", "navigate"],
    ["accept-encoding", "gzip, deflate, br, zstd"],
    ["accept-language", "en-US,en;q=0.9,de;q=0.8"],
    ["cookie", "session=0123456789abcdef0123456789abcdef; theme=dark"]
  ],
  /** What a small handler answers. */
  response: [
    [":status", "200"],
    ["content-type", "application/json"],
    ["content-length", "27"],
    ["date", "Mon, 21 Oct 2013 20:13:21 GMT"]
  ]
} as const satisfies Record<string, ReadonlyArray<readonly [name: string, value: string]>>
