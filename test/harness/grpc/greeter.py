"""Calls the greeter, health and reflection with grpcio, and says what it heard as JSON, one line each.

It knows the messages of health and reflection by the descriptors that it is
given, and those of the greeter by reflection alone.
"""

import base64
import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


class Messages:
    def __init__(self):
        self.pool = descriptor_pool.DescriptorPool()

    def add(self, data):
        self.pool.Add(descriptor_pb2.FileDescriptorProto.FromString(data))

    def type(self, descriptor):
        if hasattr(message_factory, "GetMessageClass"):
            return message_factory.GetMessageClass(descriptor)
        return message_factory.MessageFactory(self.pool).GetPrototype(descriptor)

    def named(self, name):
        return self.type(self.pool.FindMessageTypeByName(name))


def caller(channel, messages, method):
    """The callable of a method, by its kind, and the type of its requests."""
    kinds = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }
    proto = descriptor_pb2.MethodDescriptorProto()
    method.CopyToProto(proto)
    request, reply = messages.type(method.input_type), messages.type(method.output_type)
    call = kinds[proto.client_streaming, proto.server_streaming](
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=request.SerializeToString,
        response_deserializer=reply.FromString,
    )
    return call, request


def say(what, value):
    print(json.dumps([what, value]), flush=True)


def reflect(channel, known, version):
    """The greeter's messages as reflection tells them."""
    method = known.pool.FindServiceByName(f"grpc.reflection.{version}.ServerReflection").methods[0]
    call, request = caller(channel, known, method)
    asked = [
        request(list_services=""),
        request(file_containing_symbol="hello.Greeter"),
        request(file_by_filename="none.proto"),
    ]
    listed, described, missing = list(call(iter(asked), timeout=10))
    say(f"{version} services", [one.name for one in listed.list_services_response.service])
    say(f"{version} missing", missing.error_response.error_code)
    messages = Messages()
    for data in described.file_descriptor_response.file_descriptor_proto:
        messages.add(data)
    return messages


def greet(channel, messages):
    service = messages.pool.FindServiceByName("hello.Greeter")
    call, request = caller(channel, messages, service.methods_by_name["SayHello"])
    say("SayHello", call(request(name="Ada"), timeout=10).message)
    call, request = caller(channel, messages, service.methods_by_name["StreamHellos"])
    say("StreamHellos", [one.message for one in call(request(name="Ada"), timeout=10)])
    names = ["Ann", "Bob", "Eve"]
    call, request = caller(channel, messages, service.methods_by_name["CollectHellos"])
    say("CollectHellos", call((request(name=name) for name in names), timeout=10).message)
    call, request = caller(channel, messages, service.methods_by_name["ChatHellos"])
    say("ChatHellos", [one.message for one in call((request(name=name) for name in names), timeout=10)])


def check(channel, known):
    service = known.pool.FindServiceByName("grpc.health.v1.Health")
    call, request = caller(channel, known, service.methods_by_name["Check"])
    for name in ["", "hello.Greeter"]:
        say(f"Check {name}", call(request(service=name), timeout=10).status)
    try:
        call(request(service="none"), timeout=10)
    except grpc.RpcError as error:
        say("Check none", error.code().name)


def watch(channel, known):
    """Until the server ends it."""
    service = known.pool.FindServiceByName("grpc.health.v1.Health")
    call, request = caller(channel, known, service.methods_by_name["Watch"])
    try:
        for reply in call(request(service="hello.Greeter"), timeout=30):
            say("Watch", reply.status)
    except grpc.RpcError as error:
        say("Watch", error.code().name)


def main(mode, target, *descriptors):
    known = Messages()
    for one in descriptors:
        known.add(base64.b64decode(one))
    with grpc.insecure_channel(target) as channel:
        if mode == "watch":
            return watch(channel, known)
        for version in ["v1", "v1alpha"]:
            greet(channel, reflect(channel, known, version))
        check(channel, known)


main(*sys.argv[1:])
