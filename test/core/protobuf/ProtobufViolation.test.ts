import { ProtobufViolation } from "@sluice/core/protobuf/ProtobufViolation"
import { assert, it } from "vitest"

it("says what is wrong with what, and whose fault it is", () => {
  const violation = new ProtobufViolation("Truncated", "sluice.test.Text")
  assert.strictEqual(violation.message, "no sluice.test.Text: Truncated")
  assert.strictEqual(violation.fault, "peer")
})
