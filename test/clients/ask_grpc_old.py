"""A client of before the fields of the last message: it knows the mark at the end and nothing else.

Usage: ask_grpc_old.py host:port. A line of input is a question, `new` begins a new conversation.
"""

import sys

import chat_old_pb2
import grpc

END = "<|end|>$"

channel = grpc.insecure_channel(sys.argv[1])
ask = channel.unary_stream(
    "/chat.Chat/Ask",
    request_serializer=chat_old_pb2.askrequest.SerializeToString,
    response_deserializer=chat_old_pb2.askresponse.FromString,
)
conversation_id = parent_id = ""
for line in sys.stdin:
    prompt = line.rstrip("\n")
    if prompt == "new":
        conversation_id = parent_id = ""
        continue
    question = chat_old_pb2.askrequest(
        prompt=prompt, conversation_id=conversation_id, parent_id=parent_id
    )
    text = ""
    try:
        for message in ask(question, timeout=10):
            if message.response.startswith(END):
                conversation_id, parent_id = message.response[len(END) :].split("$")
            else:
                text += message.response
    except grpc.RpcError as error:
        print(f"failed with {error.code().name}: {error.details()}")
        continue
    print(f"answer> {text}")
    print(f"at> {conversation_id} {parent_id}")
