"""Asks one question, the way scripts with the old field names do.

    python envelope_single_old.py URL KEY [MODEL]
"""
import json
import sys

import requests

url, key = sys.argv[1], sys.argv[2]
model = sys.argv[3] if len(sys.argv) > 3 else "gpt-3.5-turbo"

sys_prompt = input("sys> ")
question = input("user> ")
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
    sys.exit(1)
result = json.loads(response.text)
print(f"answer> {result['current_response']}")
