import { languageOf } from "../../src/admin/texts.ts";
import type { Language } from "../../src/locales.ts";

interface DemoWords {
  readonly intro: string;
  readonly ask: string;
  readonly programs: string;
  readonly holder: string;
  readonly token: (holder: string) => string;
  readonly operator: string;
  readonly status: string;
  readonly docs: string;
  readonly hint: string;
  readonly end: string;
  readonly endAndRemove: string;
  readonly ended: string;
  readonly kept: (folder: string) => string;
}

/** What the demo says on the terminal. */
const words: Readonly<Record<Language, DemoWords>> = {
  en: {
    intro:
      "Parley runs with a week of made-up calls and scripted answers. Nothing leaves this machine.",
    ask: "Ask a question",
    programs: "For programs",
    holder: "Holder of a token",
    token: (holder) => `token (${holder})`,
    operator: "Operator",
    status: "Status",
    docs: "Documentation",
    hint: 'Try "Why is the sky blue?", "A Python script that reads a CSV file", or a question in Chinese or Russian.',
    end: "Ctrl-C ends the demo.",
    endAndRemove: "Ctrl-C ends the demo and removes its data.",
    ended: "Ended, data removed.",
    kept: (folder) => `Ended, data in ${folder}.`,
  },
  zh_CN: {
    intro: "Parley 已启动：一周的模拟请求，回答来自脚本。没有数据离开本机。",
    ask: "提问",
    programs: "程序调用",
    holder: "令牌用户",
    token: (holder) => `令牌（${holder}）`,
    operator: "管理后台",
    status: "状态",
    docs: "文档",
    hint: "可以试试“天空为什么是蓝色的？”、“读取 CSV 文件的 Python 脚本”，或用英文、俄文提问。",
    end: "按 Ctrl-C 结束演示。",
    endAndRemove: "按 Ctrl-C 结束演示并删除数据。",
    ended: "已结束，数据已删除。",
    kept: (folder) => `已结束，数据在 ${folder}。`,
  },
  zh_TW: {
    intro: "Parley 已啟動：一週的模擬請求，回答來自腳本。沒有資料離開本機。",
    ask: "提問",
    programs: "程式呼叫",
    holder: "權杖使用者",
    token: (holder) => `權杖（${holder}）`,
    operator: "管理後台",
    status: "狀態",
    docs: "文件",
    hint: "可以試試「天空為什麼是藍色的？」、「讀取 CSV 檔案的 Python 程式」，或以英文、俄文提問。",
    end: "按 Ctrl-C 結束示範。",
    endAndRemove: "按 Ctrl-C 結束示範並刪除資料。",
    ended: "已結束，資料已刪除。",
    kept: (folder) => `已結束，資料在 ${folder}。`,
  },
  ru_RU: {
    intro:
      "Parley запущен: неделя вымышленных запросов, ответы по сценарию. Данные не покидают компьютер.",
    ask: "Задать вопрос",
    programs: "Для программ",
    holder: "Владелец токена",
    token: (holder) => `токен (${holder})`,
    operator: "Панель управления",
    status: "Статус",
    docs: "Документация",
    hint: "Попробуйте «Почему небо голубое?», «Скрипт на Python, который читает CSV» или вопрос на английском или китайском.",
    end: "Ctrl-C завершает демо.",
    endAndRemove: "Ctrl-C завершает демо и удаляет его данные.",
    ended: "Завершено, данные удалены.",
    kept: (folder) => `Завершено, данные в ${folder}.`,
  },
};

export const demoWords: DemoWords = words[languageOf(process.env)];
