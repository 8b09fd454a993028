/** Attacks on HTTP/2: one for each budget and limit, by what they abuse. */
import type { Attack } from "./Attack.ts"
import * as Http2BodyAttacks from "./Http2BodyAttacks.ts"
import * as Http2FrameAttacks from "./Http2FrameAttacks.ts"
import * as Http2HeadAttacks from "./Http2HeadAttacks.ts"
import * as Http2StreamAttacks from "./Http2StreamAttacks.ts"

export const attacks: ReadonlyArray<Attack> = [
  ...Http2StreamAttacks.attacks,
  ...Http2BodyAttacks.attacks,
  ...Http2FrameAttacks.attacks,
  ...Http2HeadAttacks.attacks
]
