"""grpc.testing.TestService and its official cases with Python's grpcio, the implementation on gRPC's C core.

    interop.py server <descriptors>            prints its port, and serves until its standard input ends
    interop.py client <port> <descriptors>     runs all cases, and prints a line of JSON for each: name and outcome

Descriptors are serialized FileDescriptorProtos in base64, one an argument, those that others need first.
"""
import base64
import concurrent.futures
import json
import queue
import sys
import time

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# No call may wait longer, whatever goes wrong.
LONGEST_SECONDS = 5
GZIP, PLAIN = grpc.Compression.Gzip, grpc.Compression.NoCompression
INITIAL, TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
pool = descriptor_pool.DescriptorPool()
factory = message_factory.MessageFactory(pool)


def load(descriptors):
    for text in descriptors:
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(text)))


def message(name, **fields):
    return class_of(pool.FindMessageTypeByName(f"grpc.testing.{name}"))(**fields)


def class_of(descriptor):
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return factory.GetPrototype(descriptor)


def zeros(size):
    return message("Payload", body=bytes(size))


def truth(value):
    return message("BoolValue", value=value)


def shape(request, client_streaming, response, server_streaming):
    return {"request": request, "response": response, "kind": (client_streaming, server_streaming)}


METHODS = {
    "EmptyCall": shape("Empty", False, "Empty", False),
    "UnaryCall": shape("SimpleRequest", False, "SimpleResponse", False),
    "CacheableUnaryCall": shape("SimpleRequest", False, "SimpleResponse", False),
    "StreamingOutputCall": shape("StreamingOutputCallRequest", False, "StreamingOutputCallResponse", True),
    "StreamingInputCall": shape("StreamingInputCallRequest", True, "StreamingInputCallResponse", False),
    "FullDuplexCall": shape("StreamingOutputCallRequest", True, "StreamingOutputCallResponse", True),
    "HalfDuplexCall": shape("StreamingOutputCallRequest", True, "StreamingOutputCallResponse", True),
    "UnimplementedCall": shape("Empty", False, "Empty", False),
}


# The server.


def metadata_of(context, name):
    return [(key, value) for key, value in context.invocation_metadata() if key == name]


def begin(context):
    context.send_initial_metadata(metadata_of(context, INITIAL))
    context.set_trailing_metadata(metadata_of(context, TRAILING))


def end_with(status, context):
    if status.code != 0:
        code = next(one for one in grpc.StatusCode if one.value[0] == status.code)
        context.abort(code, status.message)


def unary(request, context):
    context.set_compression(GZIP if request.response_compressed.value else PLAIN)
    begin(context)
    end_with(request.response_status, context)
    return message("SimpleResponse", payload=zeros(request.response_size))


def cacheable(_request, _context):
    return message("SimpleResponse", payload=message("Payload", body=str(time.time_ns()).encode()))


def answers(request, context):
    end_with(request.response_status, context)
    for parameters in request.response_parameters:
        time.sleep(parameters.interval_us / 1e6)
        if not parameters.compressed.value:
            context.disable_next_message_compression()
        yield message("StreamingOutputCallResponse", payload=zeros(parameters.size))


def streaming_output(request, context):
    context.set_compression(GZIP)
    begin(context)
    yield from answers(request, context)


def streaming_input(requests, _context):
    return message("StreamingInputCallResponse", aggregated_payload_size=sum(len(one.payload.body) for one in requests))


def full_duplex(requests, context):
    begin(context)
    for request in requests:
        yield from answers(request, context)


def half_duplex(requests, context):
    for request in list(requests):
        yield from answers(request, context)


HANDLERS = {
    "EmptyCall": lambda _request, _context: message("Empty"),
    "UnaryCall": unary,
    "CacheableUnaryCall": cacheable,
    "StreamingOutputCall": streaming_output,
    "StreamingInputCall": streaming_input,
    "FullDuplexCall": full_duplex,
    "HalfDuplexCall": half_duplex,
}

MAKERS = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


def serve():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=8))
    handlers = {}
    for name, handler in HANDLERS.items():
        method = METHODS[name]
        handlers[name] = MAKERS[method["kind"]](
            handler,
            request_deserializer=type(message(method["request"])).FromString,
            response_serializer=lambda reply: reply.SerializeToString(),
        )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.testing.TestService", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(0).wait(LONGEST_SECONDS)


# The client.


def large(**fields):
    return message("SimpleRequest", response_size=314159, payload=zeros(271828), **fields)


def duplex(turn):
    size, reply = [(27182, 31415), (8, 9), (1828, 2653), (45904, 58979)][turn]
    parameters = [message("ResponseParameters", size=reply)]
    return message("StreamingOutputCallRequest", payload=zeros(size), response_parameters=parameters)


def same(found, expected):
    if found != expected:
        raise AssertionError(f"{found!r}, not {expected!r}")


def fails(call, code, details=None):
    try:
        call()
    except grpc.RpcError as error:
        same(error.code(), code)
        if details is not None:
            same(error.details(), details)
        return
    raise AssertionError("the call did not fail")


class Client:
    """The methods of a service, and a function for each case."""

    def __init__(self, port):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")

    def method(self, name, service="TestService"):
        kind, response = METHODS[name]["kind"], METHODS[name]["response"]
        maker = {
            (False, False): self.channel.unary_unary,
            (False, True): self.channel.unary_stream,
            (True, False): self.channel.stream_unary,
            (True, True): self.channel.stream_stream,
        }[kind]
        multicallable = maker(
            f"/grpc.testing.{service}/{name}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=type(message(response)).FromString,
        )
        return lambda request, **options: multicallable(request, **{"timeout": LONGEST_SECONDS, **options})

    def large_unary(self, compression=PLAIN, **fields):
        reply = self.method("UnaryCall")(large(**fields), compression=compression)
        same(reply.payload.body, bytes(314159))

    def empty_unary(self):
        same(self.method("EmptyCall")(message("Empty")), message("Empty"))

    def cacheable_unary(self):
        request = message("SimpleRequest", payload=message("Payload", body=str(time.time_ns()).encode()))
        for _ in range(2):
            options = {"metadata": [("x-user-ip", "1.2.3.4")]}
            same(len(self.method("CacheableUnaryCall")(request, **options).payload.body) > 0, True)

    def client_compressed_unary(self):
        fails(lambda: self.large_unary(expect_compressed=truth(True)), grpc.StatusCode.INVALID_ARGUMENT)
        self.large_unary(GZIP, expect_compressed=truth(True))
        self.large_unary(PLAIN, expect_compressed=truth(False))

    def server_compressed_unary(self):
        self.large_unary(response_compressed=truth(True))
        self.large_unary(response_compressed=truth(False))

    def client_streaming(self):
        requests = [message("StreamingInputCallRequest", payload=zeros(size)) for size in (27182, 8, 1828, 45904)]
        same(self.method("StreamingInputCall")(iter(requests)).aggregated_payload_size, 74922)

    def client_compressed_streaming(self):
        # A client of grpcio compresses all messages of a call, or none.
        call = self.method("StreamingInputCall")
        requests = [
            message("StreamingInputCallRequest", payload=zeros(size), expect_compressed=truth(True))
            for size in (27182, 45904)
        ]
        fails(lambda: call(iter(requests), compression=PLAIN), grpc.StatusCode.INVALID_ARGUMENT)
        same(call(iter(requests), compression=GZIP).aggregated_payload_size, 73086)

    def outputs(self, *parameters):
        request = message(
            "StreamingOutputCallRequest",
            response_parameters=[message("ResponseParameters", **fields) for fields in parameters],
        )
        return [len(reply.payload.body) for reply in self.method("StreamingOutputCall")(request)]

    def server_streaming(self):
        sizes = [31415, 9, 2653, 58979]
        same(self.outputs(*({"size": size} for size in sizes)), sizes)

    def server_compressed_streaming(self):
        first, second = {"size": 31415, "compressed": truth(True)}, {"size": 92653, "compressed": truth(False)}
        same(self.outputs(first, second), [31415, 92653])

    def ping_pong(self):
        requests = queue.Queue()
        requests.put(duplex(0))
        sizes = []
        for reply in self.method("FullDuplexCall")(iter(requests.get, None)):
            sizes.append(len(reply.payload.body))
            requests.put(duplex(len(sizes)) if len(sizes) < 4 else None)
        same(sizes, [31415, 9, 2653, 58979])

    def empty_stream(self):
        same(list(self.method("FullDuplexCall")(iter([]))), [])

    def custom_metadata(self):
        sent = [(INITIAL, "test_initial_metadata_value"), (TRAILING, b"\xab\xab\xab")]
        request = message(
            "StreamingOutputCallRequest",
            response_parameters=[message("ResponseParameters", size=314159)],
            payload=zeros(271828),
        )
        unary_call = self.channel.unary_unary(
            "/grpc.testing.TestService/UnaryCall", request_serializer=lambda one: one.SerializeToString()
        )
        _, unary_outcome = unary_call.with_call(large(), metadata=sent, timeout=LONGEST_SECONDS)
        stream_outcome = self.method("FullDuplexCall")(iter([request]), metadata=sent)
        same(len(list(stream_outcome)), 1)
        for outcome in (unary_outcome, stream_outcome):
            same(dict(outcome.initial_metadata()).get(INITIAL), sent[0][1])
            same(dict(outcome.trailing_metadata()).get(TRAILING), sent[1][1])

    def echo_status(self, text):
        status = message("EchoStatus", code=2, message=text)
        request = message("SimpleRequest", response_status=status)
        fails(lambda: self.method("UnaryCall")(request), grpc.StatusCode.UNKNOWN, text)
        request = message("StreamingOutputCallRequest", response_status=status)
        fails(lambda: list(self.method("FullDuplexCall")(iter([request]))), grpc.StatusCode.UNKNOWN, text)

    def status_code_and_message(self):
        self.echo_status("test status message")

    def special_status_message(self):
        self.echo_status("\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n")

    def unimplemented_method(self):
        call = self.method("UnimplementedCall")
        fails(lambda: call(message("Empty")), grpc.StatusCode.UNIMPLEMENTED)

    def unimplemented_service(self):
        call = self.method("UnimplementedCall", "UnimplementedService")
        fails(lambda: call(message("Empty")), grpc.StatusCode.UNIMPLEMENTED)

    def cancel_after_begin(self):
        requests = queue.Queue()
        call = self.channel.stream_unary("/grpc.testing.TestService/StreamingInputCall")
        future = call.future(iter(requests.get, None), timeout=LONGEST_SECONDS)
        future.cancel()
        requests.put(None)
        same(future.code(), grpc.StatusCode.CANCELLED)

    def cancel_after_first_response(self):
        requests = queue.Queue()
        requests.put(duplex(0))
        call = self.method("FullDuplexCall")(iter(requests.get, None))
        same(len(next(call).payload.body), 31415)
        call.cancel()
        requests.put(None)
        fails(lambda: next(call), grpc.StatusCode.CANCELLED)

    def timeout_on_sleeping_server(self):
        requests = queue.Queue()
        requests.put(message("StreamingOutputCallRequest", payload=zeros(27182)))
        call = self.method("FullDuplexCall")(iter(requests.get, None), timeout=0.001)
        fails(lambda: list(call), grpc.StatusCode.DEADLINE_EXCEEDED)
        requests.put(None)


CASES = [
    "empty_unary",
    "cacheable_unary",
    "large_unary",
    "client_compressed_unary",
    "server_compressed_unary",
    "client_streaming",
    "client_compressed_streaming",
    "server_streaming",
    "server_compressed_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
    "status_code_and_message",
    "special_status_message",
    "unimplemented_method",
    "unimplemented_service",
    "cancel_after_begin",
    "cancel_after_first_response",
    "timeout_on_sleeping_server",
]


def run_cases(port):
    client = Client(port)
    for name in CASES:
        try:
            getattr(client, name)()
            outcome = "passed"
        except Exception as error:  # Whatever it is, the test shows it.
            outcome = f"{type(error).__name__}: {error}"
        print(json.dumps([name, outcome]), flush=True)


if sys.argv[1] == "server":
    load(sys.argv[2:])
    serve()
else:
    load(sys.argv[3:])
    run_cases(sys.argv[2])
