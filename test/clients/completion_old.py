"""A client of the relay that stood at /chat_complete before, as its manual has it.

    python completion_old.py URL ACCESS_TOKEN OPENAI_TOKEN
"""
import sys

import requests

url, access_token, openai_token = sys.argv[1:]
headers = {"access-token": access_token, "openai-token": openai_token}


def post(data):
    r = requests.post(url=url + "/chat_complete", json=data, headers=headers, timeout=10)
    print(r.status_code, r.json()["status"], r.json()["text"])
    return r.json()


post({"prompt": "Привет, какая ты версия модели?"})
post({
    "prompt": "Привет, Медвед!",
    "generate_params": {"model_name": "gpt-4o", "max_tokens": 3000, "temperature": 0.8},
})
answer = post({
    "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "Who won the world series in 2020?"},
        {"role": "assistant", "content": "The Los Angeles Dodgers won the World Series in 2020."},
        {"role": "user", "content": "Where was it played?"},
    ],
    "generate_params": {},
})
print(sorted(answer))
