"""Talks on with the documented field names: `data.continuous` goes back as `continuous`.

    python envelope_new.py URL KEY [MODEL]
"""
import sys

import requests

url, key = sys.argv[1], sys.argv[2]
options = {"model": sys.argv[3]} if len(sys.argv) > 3 else {}

sys_prompt = input("sys> ")
dialogue = []
while True:
    question = input("user> ")
    if question.lower() in ("exit", "quit"):
        break
    response = requests.post(url, json={
        "sys_content": sys_prompt,
        "user_content": question,
        "api_key": key,
        "continuous": dialogue,
        **options,
    })
    envelope = response.json()
    if response.status_code != 200 or envelope["code"] != 200:
        print(f"failed with {envelope['code']}: {envelope['data']['response']}")
        continue
    print(f"answer> {envelope['data']['response']}")
    dialogue = envelope["data"]["continuous"]

print(f"messages> {len(dialogue)}")
