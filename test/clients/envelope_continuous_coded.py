"""Talks on by sending the list in `result` back as `continuous_dialogue`.

    python envelope_continuous_coded.py URL KEY [MODEL]
"""
import sys

import requests

url, key = sys.argv[1], sys.argv[2]
model = sys.argv[3] if len(sys.argv) > 3 else "gpt-3.5-turbo"

sys_prompt = input("sys> ")
dialogue = []
while True:
    question = input("user> ")
    if question.lower() in ("exit", "quit"):
        break
    response = requests.post(url, json={
        "system_content": sys_prompt,
        "user_content": question,
        "model": model,
        "api_key": key,
        "continuous_dialogue": dialogue,
        "max_tokens": 3000,
    })
    if response.status_code != 200:
        print(f"failed with {response.status_code}: {response.text}")
        continue
    reply = response.json()
    print(f"answer> {reply['current_response']}")
    dialogue = reply["result"]

print(f"messages> {len(dialogue)}")
