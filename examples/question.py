import sys

import requests

url = "http://localhost:5000/api"
api_key = "YOUR_OPENAI_API_KEY"

response = requests.post(url, timeout=600, json={
    "user_content": input("user> "),
    "max_tokens": 1000,
    "api_key": api_key,
})
answer = response.json()
if answer["code"] != 200:
    sys.exit(f"{answer['code']}> {answer['data']['response']}")
print(f"assistant> {answer['data']['response']}")
