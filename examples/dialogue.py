import requests

url = "http://localhost:5000/api"
api_key = "YOUR_OPENAI_API_KEY"

system = input("system> ")
dialogue = []
while True:
    question = input("user> ").strip()
    if question in ("", "exit", "quit"):
        break
    response = requests.post(url, timeout=600, json={
        "sys_content": system,
        "user_content": question,
        "continuous": dialogue,
        "max_tokens": 1000,
        "api_key": api_key,
    })
    answer = response.json()
    if answer["code"] != 200:
        print(f"{answer['code']}> {answer['data']['response']}")
        continue
    print(f"assistant> {answer['data']['response']}")
    dialogue = answer["data"]["continuous"]
