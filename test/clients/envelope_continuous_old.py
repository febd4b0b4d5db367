"""Talks with one system prompt, the way scripts with the old field names do.

    python envelope_continuous_old.py URL KEY [MODEL]
"""
import json
import sys

import requests

url, key = sys.argv[1], sys.argv[2]
model = sys.argv[3] if len(sys.argv) > 3 else "gpt-3.5-turbo"

sys_prompt = input("sys> ")
# Kept as such scripts keep it: written on every turn, never sent.
history = [{"role": "system", "content": sys_prompt}]
while True:
    question = input("user> ")
    if question.lower() in ("exit", "quit"):
        break
    response = requests.post(url, json={
        "system_content": sys_prompt,
        "user_content": question,
        "model": model,
        "api_key": key,
        "continuous": [],
        "max_tokens": 3000,
    })
    if response.status_code != 200:
        print(f"failed with {response.status_code}: {response.text}")
        continue
    result = json.loads(response.text)
    answer = result["current_response"]
    print(f"answer> {answer}")
    history.append({"role": "user", "content": question})
    history.append({"role": "assistant", "content": answer})

print("bye")
