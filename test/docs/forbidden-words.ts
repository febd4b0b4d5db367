import type { Language } from "../../src/locales.ts";

/** Words that have a better one in the field, or name a thing that has another name here. */
export const forbidden: Readonly<Record<Language, readonly RegExp[]>> = {
  en: [
    /\b(stands|lies|beside|begun|dearer|brings?|wants?|obviously|simply|just|easily|please|easy(?!-))\b/i,
    /\b(go|goes|going|gone) (on|before)\b/i,
    /\b(take|takes|taking|taken) away\b/i,
    /\b(is|are) (told|kept)\b/i,
    /\b(for whom|the latter|as long as|save that|via)\b/i,
    /\be\.g\.|\bi\.e\./i,
    /\b(behaviours?|licences?|cancelled|cancelling|colours?|favour\w*|organis\w+|recognis\w+)\b/i,
    /\btime-?outs?\b(?<!timeouts?)/i,
    /\b(calls?|rows?|objects?|pages?) an? (second|minute|hour|day|line|call)\b/i,
  ],
  zh_CN: [
    // The other script, and the familiar form of address.
    /[請參數錯誤伺務連線號碼應關閉語]/,
    /你(?!好)/,
    /调用者|运营者|营运者|口令|密语|命名聊天|词元|签发|发放|摘要|用其他的访问|供程序使用/,
    /访问被拒绝|再试/,
    /服务器(推送|发送)事件/,
    // The balance of an OpenAI account may be called 额度, a quota may not.
    /^(?!.*OpenAI).*额度/,
  ],
  zh_TW: [
    /[请参数错误务连线号码应关闭语网络]/,
    /你(?!好)/,
    /流量限制|擋在|含義|單個|編寫|憑據|上表|詞元|摘要|密語|共享密碼|營運者|簽發|核發|發放|命名聊天/,
    /通訊端|程序|呼叫者|訪問|默認|服務器|網絡|數據|信息|接口|保存|再试/,
    /伺服器(推送|傳送)事件/,
    /^(?!.*OpenAI).*額度/,
  ],
  ru_RU: [
    // The familiar form of address, and "е" where "ё" is meant.
    /(?<!\p{L})(ты|тебе|тебя|тво[йяеи])(?!\p{L})/iu,
    /(?<!\p{L})(еще|ее|свое|твое|придется|ждет|берет|вернет|идет|дает|найдет)(?!\p{L})/iu,
    /вызывающ|(?<!\p{L})оператор(?!с)|подсказк|(?<!\p{L})бесед|реплик|показател/iu,
    // A call of the API is a request; models call tools.
    /(?<!\p{L})вызов(?!\p{L}* (инструмент|функци))/iu,
    // A stream is a streamed answer; this word is a thread.
    /(?<!\p{L})поток(и|а|у|ом|е|ах|ам|ами)?(?!\p{L}| \(thread\))/iu,
    /событи\p{L}* сервера|отправляемы\p{L}* сервером/iu,
    /говорит на|пожалуйста|токен\p{L}* Bearer|ключ\p{L}* API(?!-)/iu,
  ],
};
