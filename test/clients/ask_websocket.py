"""Asks line by line in one conversation and prints each answer as it comes, as older clients do.

    python ask_websocket.py URL

Every line of the input is a prompt; `back` goes on from the answer before the last. Ends with 1 when
the server answers with an error.
"""
import asyncio
import sys

import websockets

END, ERR = "<|end|>", "<|err|>"


async def ask(socket, conversation, parent, prompt):
    await socket.send(f"<|ask|>${conversation}${parent}${prompt}")
    answer = ""
    while True:
        message = await socket.recv()
        if message.startswith(ERR):
            print(f"failed: {message[len(ERR) + 1:]}", flush=True)
            sys.exit(1)
        if message.startswith(END):
            _, conversation, parent = message.split("$")
            print(f"answer> {answer}", flush=True)
            return conversation, parent
        answer += message


async def main():
    conversation, parents = "new", ["new"]
    async with websockets.connect(sys.argv[1]) as socket:
        for line in sys.stdin:
            prompt = line.rstrip("\n")
            if prompt == "back":
                parents.pop()
                continue
            conversation, parent = await ask(socket, conversation, parents[-1], prompt)
            parents.append(parent)
    print("bye", flush=True)


asyncio.run(main())
