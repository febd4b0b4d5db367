"""Asks one question and reads the answer as it is written.

    python envelope_stream.py URL KEY [MODEL]

Ends with 1 when the request is refused or the answer breaks, 2 when the stream is not as promised.
"""
import json
import sys

import requests

url, key = sys.argv[1], sys.argv[2]
options = {"model": sys.argv[3]} if len(sys.argv) > 3 else {}

sys_prompt = input("sys> ")
question = input("user> ")
response = requests.post(url, stream=True, json={
    "sys_content": sys_prompt,
    "user_content": question,
    "api_key": key,
    "stream": True,
    **options,
})
if response.status_code != 200:
    print(f"failed with {response.status_code}: {response.text}")
    sys.exit(1)

deltas = []
final = None
ended = False
for line in response.iter_lines():
    if not line.startswith(b"data:"):
        continue
    payload = line[len(b"data:"):].strip().decode("utf-8")
    if ended:
        print("broken> an event after [DONE]")
        sys.exit(2)
    if payload == "[DONE]":
        ended = True
        continue
    envelope = json.loads(payload)
    if envelope["code"] != 200:
        print(f"failed with {envelope['code']}: {envelope['data']['response']}")
        sys.exit(1)
    if envelope.get("done") or envelope["data"].get("done"):
        final = envelope["data"]
    else:
        deltas.append(envelope["data"]["delta"])

if not ended or final is None:
    print("broken> the answer has no end")
    sys.exit(2)
if "".join(deltas) != final["response"]:
    print("broken> the deltas are not the answer")
    sys.exit(2)
print(f"deltas> {len(deltas)}")
print(f"answer> {final['response']}")
