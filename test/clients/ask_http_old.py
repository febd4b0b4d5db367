"""A client of the service that answered at /ask before: begins, goes on, branches.

    python ask_http_old.py URL
"""
import sys

import requests

url = sys.argv[1]


def ask(conversation_id, prompt, parent_id=None):
    data = {"prompt": prompt, "parent_id": parent_id}
    response = requests.post(f"{url}/ask/{conversation_id}", json=data, timeout=10)
    answer = response.json()
    print(response.status_code, answer.get("message") or answer.get("response"))
    return answer


first = ask("new", "你好")
second = ask(first["conversation_id"], "two", first["parent_id"])
ask(first["conversation_id"], "three", second["parent_id"])
branch = ask(first["conversation_id"], "other two", first["parent_id"])
assert branch["conversation_id"] == first["conversation_id"]
assert branch["parent_id"] != second["parent_id"]
other = ask("new", "somebody else")
assert other["conversation_id"] != first["conversation_id"]
ask("unknown", "lost")
