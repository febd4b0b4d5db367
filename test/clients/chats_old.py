"""Walks through everything that clients of the first server that kept chats could ask.

    python chats_old.py URL

It knows no credential, no name of a model and no stream. Ends with 1 at the first answer that is not
as it was; what such clients never saw, more fields beside the old ones, is passed over.
"""
import sys

import requests

base = sys.argv[1].rstrip("/")
IMAGE = "https://example.org/cat.png"


def check(what, is_so, answer=""):
    if not is_so:
        print(f"broken> {what}: {answer}")
        sys.exit(1)
    print(f"ok> {what}")


def get(path):
    return requests.get(base + path)


def post(path, body=None):
    return requests.post(base + path) if body is None else requests.post(base + path, json=body)


def is_refusal(response, status):
    return response.status_code == status and isinstance(response.json().get("error"), str)


def ask(path, body):
    response = post(path, body)
    check(f"POST {path}", response.status_code == 200, response.text)
    answer = response.json()
    check("its role", answer["role"] == "assistant", answer)
    tokens = answer["tokens"]
    for name in ("completion_tokens", "prompt_tokens", "total_tokens"):
        check(f"its {name}", isinstance(tokens[name], int), tokens)
    check("their sum", tokens["completion_tokens"] + tokens["prompt_tokens"] == tokens["total_tokens"])
    return answer["content"]


check("GET /", get("/").status_code == 200)
check("its greeting", get("/").text == "Hello, World!")

check("GET /system before it was set", get("/system").json() == {"content": None})
check("POST /system", post("/system", {"content": "be brief"}).json() == {})
check("GET /system", get("/system").json() == {"content": "be brief"})
check("POST /system without content", is_refusal(post("/system", {}), 400))
check("POST /system with nothing in it", post("/system", {"content": ""}).json() == {})
check("and it is as it was", get("/system").json() == {"content": "be brief"})

moderation = post("/mod", {"content": "is this fine?"}).json()
check("POST /mod", {"id", "model", "results"} <= set(moderation), moderation)
check("POST /mod without content", is_refusal(post("/mod", {}), 400))

check("GET /ann/chat before there is one", is_refusal(get("/ann/chat"), 404))
check("GET /ann/system before there is one", is_refusal(get("/ann/system"), 404))
first = ask("/ann/chat", {"content": "回 one"})
check("an answer", first == "echo: 回 one", first)
history = get("/ann/chat").json()
check("GET /ann/chat", history == [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": "回 one"},
    {"role": "assistant", "content": "echo: 回 one"},
], history)
check("POST /ann/chat without content", is_refusal(post("/ann/chat", {}), 400))
check("GET /ann/system", get("/ann/system").json() == {"role": "system", "content": "be brief"})

check("POST /system later", post("/system", {"content": "be kind"}).json() == {})
check("leaves chats alone", get("/ann/system").json()["content"] == "be brief")
check("POST /ann/system", post("/ann/system", {"content": "be long"}).json() == {})
check("sets it", get("/ann/chat").json()[0] == {"role": "system", "content": "be long"})
check("POST /ann/system with nothing in it", post("/ann/system", {"content": ""}).json() == {})
check("takes the global one", get("/ann/system").json()["content"] == "be kind")
check("POST /bob/system", post("/bob/system", {"content": "be Bob"}).json() == {})
check("makes a chat", get("/bob/chat").json() == [{"role": "system", "content": "be Bob"}])

ask("/ann/img", {"content": "what is this?", "url": IMAGE})
check("an image in the history", get("/ann/chat").json()[3] == {"role": "user", "content": [
    {"type": "text", "text": "what is this?"},
    {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
]})
check("POST /ann/img without url", is_refusal(post("/ann/img", {"content": "what?"}), 400))

check("POST /ann/clear", post("/ann/clear").json() == {})
check("POST /ann/clear again", post("/ann/clear").json() == {})
check("forgets the chat", is_refusal(get("/ann/chat"), 404))
check("and no other", get("/bob/chat").status_code == 200)
ask("/ann/chat", {"content": "anew"})
check("and begins again", len(get("/ann/chat").json()) == 3)
check("a path that is none", get("/ann/nowhere").status_code == 404)
print("all> as it was")
