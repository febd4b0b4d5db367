import json
import sys

import requests

url = "http://localhost:5000/api"
api_key = "YOUR_OPENAI_API_KEY"

question = {"user_content": input("user> "), "max_tokens": 1000, "api_key": api_key, "stream": True}
with requests.post(url, json=question, stream=True, timeout=600) as response:
    if response.status_code != 200:
        sys.exit(response.json()["data"]["response"])
    for line in response.iter_lines():
        if not line.startswith(b"data: ") or line == b"data: [DONE]":
            continue
        event = json.loads(line.removeprefix(b"data: "))
        if event["code"] != 200:
            sys.exit(f"\n{event['code']}> {event['data']['response']}")
        print(event["data"].get("delta", ""), end="", flush=True)
print()
