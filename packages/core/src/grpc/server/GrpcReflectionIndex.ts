/**
 * The files that describe services, and what is declared in them, to be found
 * by name.
 *
 * @internal
 * @since 0.1.0
 */
import { type DescEnum, type DescExtension, type DescFile, type DescMessage, toBinary } from "@bufbuild/protobuf"
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt"
import type { Service } from "../GrpcMethod.ts"

/** @category models */
export class GrpcReflectionIndex {
  /** `package.Service`, in the order of their names. */
  readonly services: ReadonlyArray<string>
  /** By `path/name.proto`. */
  private readonly files = new Map<string, DescFile>()
  /** By full names: `package.Message.field`. */
  private readonly symbols = new Map<string, DescFile>()
  /** By the names of the messages that are extended, and their numbers. */
  private readonly extensions = new Map<string, Map<number, DescFile>>()

  /** Of the files of the services, and all that these import. */
  constructor(services: ReadonlyArray<Service>) {
    this.services = services.map((service) => service.typeName).sort()
    for (const { file } of services) for (const one of withImports(file)) this.addFile(one)
  }

  /** As `import` says it: `google/protobuf/timestamp.proto`. */
  fileNamed(name: string): DescFile | undefined {
    return this.files.get(name)
  }

  /** The file that declares a service, method, message, field, oneof, enum, a value of that, or an extension. */
  fileOfSymbol(name: string): DescFile | undefined {
    return this.symbols.get(name)
  }

  fileOfExtension(extended: string, number: number): DescFile | undefined {
    return this.extensions.get(extended)?.get(number)
  }

  /** `undefined`: there is no such message. */
  extensionNumbers(extended: string): ReadonlyArray<number> | undefined {
    const numbers = this.extensions.get(extended)
    if (numbers !== undefined) return [...numbers.keys()].sort((a, b) => a - b)
    const file = this.symbols.get(extended)
    return file !== undefined && allMessages(file.messages).some((one) => one.typeName === extended) ? [] : undefined
  }

  private addFile(file: DescFile): void {
    if (this.files.has(file.proto.name)) return
    this.files.set(file.proto.name, file)
    for (const service of file.services) {
      this.symbols.set(service.typeName, file)
      for (const method of service.methods) this.symbols.set(`${service.typeName}.${method.name}`, file)
    }
    for (const message of allMessages(file.messages)) this.addMessage(file, message)
    for (const one of file.enums) this.addEnum(file, one)
    for (const one of file.extensions) this.addExtension(file, one)
  }

  private addMessage(file: DescFile, message: DescMessage): void {
    this.symbols.set(message.typeName, file)
    for (const { name } of message.fields) this.symbols.set(`${message.typeName}.${name}`, file)
    for (const { name } of message.oneofs) this.symbols.set(`${message.typeName}.${name}`, file)
    for (const one of message.nestedEnums) this.addEnum(file, one)
    for (const one of message.nestedExtensions) this.addExtension(file, one)
  }

  private addEnum(file: DescFile, one: DescEnum): void {
    this.symbols.set(one.typeName, file)
    // "enum values use C++ scoping rules, meaning that enum values are siblings of their type, not children of it."
    const scope = one.typeName.slice(0, one.typeName.length - one.name.length)
    for (const { name } of one.values) this.symbols.set(scope + name, file)
  }

  private addExtension(file: DescFile, one: DescExtension): void {
    this.symbols.set(one.typeName, file)
    const { typeName } = one.extendee
    const numbers = this.extensions.get(typeName) ?? new Map<number, DescFile>()
    this.extensions.set(typeName, numbers.set(one.number, file))
  }
}

/** A file, and then all that it imports, each once. @category files */
export const withImports = (file: DescFile): ReadonlyArray<DescFile> => {
  const found = new Set([file])
  // A set gives what is added while it is gone through.
  for (const one of found) for (const imported of one.dependencies) found.add(imported)
  return [...found]
}

/** The bytes of its `google.protobuf.FileDescriptorProto`; they are made once. @category files */
export const bytesOf = (file: DescFile): Uint8Array => {
  const known = encoded.get(file)
  if (known !== undefined) return known
  const bytes = toBinary(FileDescriptorProtoSchema, file.proto)
  encoded.set(file, bytes)
  return bytes
}

const encoded = new WeakMap<DescFile, Uint8Array>()

/** With those within each other. */
const allMessages = (messages: ReadonlyArray<DescMessage>): ReadonlyArray<DescMessage> =>
  messages.flatMap((message) => [message, ...allMessages(message.nestedMessages)])
