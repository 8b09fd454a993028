/** Attacks on gRPC and what stands beside it: by messages, by calls, and by its services. */
import { callAttacks } from "./GrpcCallAttacks.ts"
import { messageAttacks } from "./GrpcMessageAttacks.ts"

export const attacks = [...messageAttacks, ...callAttacks]
