# pip install grpcio protobuf, then: protoc --python_out=. ask.proto
import os
import sys

import ask_pb2
import grpc

channel = grpc.insecure_channel(os.environ.get("PARLEY_GRPC", "127.0.0.1:9000"))
token = os.environ.get("PARLEY_TOKEN")
metadata = [("authorization", f"Bearer {token}")] if token else []
stub = channel.unary_stream(
    "/chat.Chat/Ask",
    request_serializer=ask_pb2.askrequest.SerializeToString,
    response_deserializer=ask_pb2.askresponse.FromString,
)


def ask(prompt, after=ask_pb2.askresponse()):
    """Prints an answer as it arrives. Pass the result as after to continue."""
    question = ask_pb2.askrequest(
        prompt=prompt, conversation_id=after.conversation_id, parent_id=after.parent_id
    )
    for message in stub(question, metadata=metadata):
        if message.conversation_id:  # the last message
            return message
        print(message.response, end="", flush=True)


try:
    prompts = sys.argv[1:] or ["Why is the sky blue?", "And at sunset?"]
    last = ask(prompts[0])
    for prompt in prompts[1:]:
        print("\n--")
        last = ask(prompt, last)
    print(f"\n-- {last.usage.total_tokens} tokens, conversation {last.conversation_id}")
except grpc.RpcError as error:
    sys.exit(f"{error.code().name}: {error.details()}")
