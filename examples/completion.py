"""Sends questions with any parameter of OpenAI.

    OPENAI_TOKEN=sk-... python completion.py
"""
import json
import os

import requests

url = os.environ.get("PARLEY_URL", "http://127.0.0.1:5000") + "/chat_complete"
headers = {
    "openai-token": os.environ.get("OPENAI_TOKEN", ""),
    "access-token": os.environ.get("ACCESS_TOKEN", ""),
}


def complete(**data):
    answer = requests.post(url, json=data, headers=headers, timeout=600).json()
    if answer["status"] != "ok":
        raise SystemExit(answer["text"])
    return answer


print(complete(prompt="Why is the sky blue?")["text"])

answer = complete(
    messages=[
        {"role": "system", "content": "Answer in one word."},
        {"role": "user", "content": "The capital of France?"},
    ],
    generate_params={"model_name": "gpt-4o-mini", "max_tokens": 50, "temperature": 0.2},
)
print(answer["text"], answer["usage"]["total_tokens"], "tokens")

data = {"prompt": "Tell me a story.", "generate_params": {"stream": True}}
with requests.post(url, json=data, headers=headers, stream=True, timeout=600) as response:
    for line in response.iter_lines():
        if line.startswith(b"data: {"):
            event = json.loads(line[len(b"data: "):])
            if event["status"] != "ok":
                raise SystemExit(event["text"])
            print(event["text"], end="", flush=True)
print()
