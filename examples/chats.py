"""Asks in a chat that the server stores.

    PARLEY_TOKEN=sk-... python chats.py
"""
import json
import os

import requests

url = os.environ.get("PARLEY_URL", "http://127.0.0.1:5000")
parley = requests.Session()
parley.headers["Authorization"] = f"Bearer {os.environ['PARLEY_TOKEN']}"  # an OpenAI key or a Parley token


def ask(chat, content):
    response = parley.post(f"{url}/{chat}/chat", json={"content": content})
    response.raise_for_status()
    return response.json()["content"]


def ask_streamed(chat, content):
    body = {"content": content, "stream": True}
    with parley.post(f"{url}/{chat}/chat", json=body, stream=True) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            if line == b"data: [DONE]":
                return
            if line.startswith(b"data: "):
                event = json.loads(line[len(b"data: "):])
                if "error" in event:
                    raise RuntimeError(event["error"])
                yield event.get("delta", "")
    raise RuntimeError("the answer broke off")


parley.post(f"{url}/travel/system", json={"content": "Answer in one sentence."}).raise_for_status()
print(ask("travel", "I am in Lisbon and like trams. What should I see?"))
print(ask("travel", "And where was I again?"))  # Parley has stored the first question
for piece in ask_streamed("travel", "What shall I eat there?"):
    print(piece, end="", flush=True)
print()

for message in parley.get(f"{url}/travel/chat").json():
    print(f"{message['role']}: {message['content']}")
for chat in parley.get(f"{url}/chats").json():
    print(f"{chat['name']}: {chat['messages']} messages, expires {chat['expires_at']}")
parley.delete(f"{url}/travel").raise_for_status()
