/**
 * Until when the work that runs now is wanted.
 *
 * A server sets it for the handler of a call that has a deadline, and every
 * call that is made from there has at most what is left: so a deadline crosses
 * hops without anybody passing it on.
 *
 * It is the deadline of `service/Deadline`: whatever is made within that, calls
 * of gRPC too, has at most what is left of it, and tells its server.
 *
 * @since 0.1.0
 */
export { CurrentDeadline as GrpcDeadline, remaining, uncoupled } from "../service/Deadline.ts"
