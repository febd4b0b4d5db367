/** Where a question is asked in each dialect but /v1, which has a form of its own. */
export const others: readonly (readonly [path: string, body: object])[] = [
  ["/", { user_content: "hi" }],
  ["/travel/chat", { content: "hi" }],
  ["/ask/new", { prompt: "hi" }],
  ["/chat_complete", { prompt: "hi" }],
];
