import { expect, test } from "vitest";
import { answerTo } from "../../scripts/demo/upstream/answers.ts";
import { tokensOf } from "../../scripts/demo/upstream/tokens.ts";

test.each([
  ["Why is the sky blue?", "Air scatters"],
  ["Почему небо голубое?", "Воздух рассеивает"],
  ["天空为什么是蓝色的？", "空气对蓝光"],
  ["天空為什麼是藍色的？", "空氣對藍光"],
  ["How do HTTP/1.1, HTTP/2 and HTTP/3 differ?", "| Transport | TCP |"],
  ["Чем отличаются HTTP/1.1, HTTP/2 и HTTP/3?", "| Транспорт | TCP |"],
  ["HTTP/1.1、HTTP/2 和 HTTP/3 有什么区别？", "| 传输层 | TCP |"],
  ["HTTP/1.1、HTTP/2 與 HTTP/3 有什麼差異？", "| 傳輸層 | TCP |"],
  ["A Python script that adds up a CSV file", "```python"],
  ["How does a sliding window count?", "sliding window"],
  ["Скрипт на Python, который складывает столбец CSV-файла", "```python"],
  ["汇总 CSV 文件的 Python 脚本", "```python"],
  ["滑動視窗如何計數？", "**滑動視窗**"],
])("%s is answered in its language", (question, part) => {
  expect(answerTo(question)).toContain(part);
});

test.each([
  ["What is this thing on my desk?", "This is Parley's demo."],
  ["Сколько лет черепахе?", "Это демонстрация Parley."],
  ["乌龟能活多少年？", "这是 Parley 的演示。"],
  ["這隻烏龜能活多少年？", "這是 Parley 的示範。"],
  ["", "This is Parley's demo."],
])("%j gets an answer that says what this is", (question, part) => {
  expect(answerTo(question)).toContain(part);
});

test.each(["Why? **Bold** `x` 1.5 l", "天空、HTTP/2 与 3。\n\n| a |", "Ёлка — 1 048 576 МиБ 👍🏽"])(
  "the tokens of %j make it again",
  (text) => {
    expect(tokensOf(text).join("")).toBe(text);
  },
);
