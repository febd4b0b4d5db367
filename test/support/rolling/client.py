"""Asks over gRPC, one question after the other, until its input ends. Says what became of each."""
import json
import sys
import threading

import ask_pb2
import grpc

target, name = sys.argv[1:]
channel = grpc.insecure_channel(target)
stub = channel.unary_stream(
    "/chat.Chat/Ask",
    request_serializer=ask_pb2.askrequest.SerializeToString,
    response_deserializer=ask_pb2.askresponse.FromString,
)
stopped = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stopped.set()), daemon=True).start()


def ask(prompt):
    question = ask_pb2.askrequest(prompt=prompt, conversation_id="new", parent_id="new")
    call = stub(question)
    text = "".join(message.response for message in call if not message.conversation_id)
    ids = [value for key, value in call.initial_metadata() if key == "x-request-id"]
    return {"prompt": prompt, "text": text, "id": ids[0]}


serial = 0
while not stopped.is_set():
    serial += 1
    prompt = f"grpc-{name}-{serial} one two three four"
    try:
        result = ask(prompt)
    except grpc.RpcError as error:
        result = {"prompt": prompt, "error": f"{error.code().name}: {error.details()}"}
    print(json.dumps(result), flush=True)
    stopped.wait(0.02)
