"""A client of the service that answered by WebSocket before: begins, goes on, branches.

    python ask_websocket_old.py ws://HOST:PORT
"""
import asyncio
import sys

import websockets


async def ask(socket, conversation_id, parent_id, prompt):
    await socket.send(f"<|ask|>${conversation_id}${parent_id}${prompt}")
    text = ""
    async for frame in socket:
        if frame.startswith("<|end|>"):
            _, conversation_id, parent_id = frame.split("$")
            print(f"answer> {text}")
            return conversation_id, parent_id
        if frame.startswith("<|err|>"):
            print(f"failed> {frame}")
            return conversation_id, parent_id
        text += frame


async def main(url):
    async with websockets.connect(url) as socket:
        first = await ask(socket, "new", "new", "早上好")
        second = await ask(socket, *first, "it costs $5")
        branch = await ask(socket, *first, "other")
        print(first[0] == second[0] == branch[0], second[1] != branch[1])
        other = await ask(socket, "new", "new", "somebody else")
        print(first[0] != other[0])
        await ask(socket, "unknown", "new", "lost")
        await socket.send("hello")
        print((await socket.recv()).split("$")[0])


asyncio.run(main(sys.argv[1]))
