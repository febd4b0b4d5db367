import type { Language } from "../src/locales.ts";

/** Words of the READMEs' section and of the charts. `{name}` stands for what was measured. */
export interface PerformanceTexts {
  /** For numbers, see Intl. */
  readonly locale: string;
  readonly intro: string;
  readonly columns: string;
  readonly bare: string;
  readonly parley: string;
  readonly token: string;
  readonly envelope: string;
  readonly chats: string;
  readonly portkey: string;
  readonly measure: string;
  readonly cpu: string;
  readonly cpuLong: string;
  readonly chunks: string;
  readonly latency: string;
  readonly idle: string;
  readonly rest: string;
  readonly start: string;
  readonly image: string;
  readonly cpuTitle: string;
  readonly cpuSubtitle: string;
  readonly cpuShort: string;
  readonly cpuLongShort: string;
  readonly cpuStream: string;
  readonly latencyTitle: string;
  readonly latencySubtitle: string;
  readonly median: string;
  readonly p99: string;
  readonly memoryTitle: string;
  readonly memorySubtitle: string;
  readonly streams: string;
  readonly us: string;
  readonly ms: string;
  readonly kib: string;
  readonly mb: string;
}

const latinUnits = { us: "µs", ms: "ms", kib: "KiB", mb: "MB" };

export const performanceTexts: Readonly<Record<Language, PerformanceTexts>> = {
  en: {
    locale: "en",
    intro:
      "What a call costs, measured on {cores} cores ({cpu}) with Node {node} on {date}; load, gateway and a stand-in for OpenAI all run on that machine. The bare forwarder passes bytes on with `node:http` and undici and looks at nothing: little less is possible in Node. Figures compare within this table only, as they change from machine to machine; how they are measured, and how to repeat it, stands in [bench/README.md](bench/README.md).",
    columns:
      "Parley counts its limits per address and writes a row of usage for every call; in the column *token* the caller holds a token whose limits, prices and quotas are checked as well. CPU is that of the gateway, in brackets as a multiple of the bare forwarder's; latency is what is added to calls made without a gateway.",
    bare: "Bare forwarder",
    parley: "Parley",
    token: "Parley, token",
    envelope: "Parley, its own API",
    chats: "Parley, kept chat",
    portkey: "Portkey 1.15.2",
    measure: "Measured",
    cpu: "CPU per call",
    cpuLong: "CPU per call, prompt of 100 KB",
    chunks: "Pieces of streams per second of CPU",
    latency: "Added latency at 200 calls/s, median / p99",
    idle: "Memory per open, waiting stream, of {count}",
    rest: "Memory at rest, after some load",
    start: "From start to first answer",
    image: "Image without its base",
    cpuTitle: "CPU per call",
    cpuSubtitle: "As a multiple of the bare forwarder's in the same round; shorter is better",
    cpuShort: "Short question",
    cpuLongShort: "Prompt of 100 KB",
    cpuStream: "Stream of 50 pieces",
    latencyTitle: "Added latency",
    latencySubtitle:
      "To the first byte, at 200 calls/s, over calls without a gateway; shorter is better",
    median: "Median",
    p99: "99th percentile",
    memoryTitle: "Memory per open stream",
    memorySubtitle: "Streams that have begun and wait; shorter is better",
    streams: "{count} streams",
    ...latinUnits,
  },
  zh_CN: {
    locale: "zh-CN",
    intro:
      "一次调用的开销：{date}在 {cores} 核机器（{cpu}）上用 Node {node} 测得，压测程序、网关和模拟的 OpenAI 服务同在这台机器上运行。“裸转发”只用 `node:http` 和 undici 转发字节，不看内容，在 Node 里很难再省。数值因机器而异，只宜在本表内互相比较；测量方法和重现步骤见 [bench/README.md](bench/README.md)。",
    columns:
      "Parley 按地址计数限流，每次调用都写一条用量记录；“令牌”一列的调用方持有令牌，还要检查令牌的限流、价格和额度。CPU 为网关所用，括号内是裸转发的倍数；延迟是比不经网关多出的部分。",
    bare: "裸转发",
    parley: "Parley",
    token: "Parley，令牌",
    envelope: "Parley，自有接口",
    chats: "Parley，保存的聊天",
    portkey: "Portkey 1.15.2",
    measure: "测量项",
    cpu: "每次调用的 CPU",
    cpuLong: "每次调用的 CPU，提示词 100 KB",
    chunks: "每 CPU 秒转发的流式片段数",
    latency: "每秒 200 次调用时增加的延迟，中位数 / p99",
    idle: "每个等待中的流所占内存（共 {count} 个）",
    rest: "有过负载后空闲时的内存",
    start: "从启动到首次应答",
    image: "镜像大小（不含基础镜像）",
    cpuTitle: "每次调用的 CPU",
    cpuSubtitle: "同一轮中裸转发的倍数，越短越好",
    cpuShort: "简短提问",
    cpuLongShort: "100 KB 提示词",
    cpuStream: "50 个片段的流",
    latencyTitle: "增加的延迟",
    latencySubtitle: "到首字节为止，每秒 200 次调用，与不经网关相比；越短越好",
    median: "中位数",
    p99: "第 99 百分位",
    memoryTitle: "每个流占用的内存",
    memorySubtitle: "已开始、正在等待的流；越短越好",
    streams: "{count} 个流",
    ...latinUnits,
  },
  zh_TW: {
    locale: "zh-TW",
    intro:
      "一次呼叫的成本：{date}在 {cores} 核心機器（{cpu}）上以 Node {node} 測得，負載程式、閘道與模擬的 OpenAI 服務都在同一台機器上執行。「純轉發」只用 `node:http` 與 undici 轉送位元組，不看內容，在 Node 裡很難再省。數值因機器而異，只宜在本表內互相比較；測量方式與重現步驟見 [bench/README.md](bench/README.md)。",
    columns:
      "Parley 依位址計算流量限制，每次呼叫都寫入一筆用量紀錄；「權杖」一欄的呼叫端持有權杖，還要檢查權杖的流量限制、價格與額度。CPU 為閘道所用，括號內是純轉發的倍數；延遲是比不經閘道多出的部分。",
    bare: "純轉發",
    parley: "Parley",
    token: "Parley，權杖",
    envelope: "Parley，自有 API",
    chats: "Parley，保存的聊天",
    portkey: "Portkey 1.15.2",
    measure: "測量項目",
    cpu: "每次呼叫的 CPU",
    cpuLong: "每次呼叫的 CPU，提示詞 100 KB",
    chunks: "每 CPU 秒轉送的串流片段數",
    latency: "每秒 200 次呼叫時增加的延遲，中位數 / p99",
    idle: "每個等待中的串流所占記憶體（共 {count} 個）",
    rest: "有過負載後閒置時的記憶體",
    start: "從啟動到首次回應",
    image: "映像檔大小（不含基礎映像檔）",
    cpuTitle: "每次呼叫的 CPU",
    cpuSubtitle: "同一輪中純轉發的倍數，越短越好",
    cpuShort: "簡短提問",
    cpuLongShort: "100 KB 提示詞",
    cpuStream: "50 個片段的串流",
    latencyTitle: "增加的延遲",
    latencySubtitle: "到首位元組為止，每秒 200 次呼叫，與不經閘道相比；越短越好",
    median: "中位數",
    p99: "第 99 百分位",
    memoryTitle: "每個串流占用的記憶體",
    memorySubtitle: "已開始、正在等待的串流；越短越好",
    streams: "{count} 個串流",
    ...latinUnits,
  },
  ru_RU: {
    locale: "ru-RU",
    intro:
      "Сколько стоит вызов: измерено {date} на машине с {cores} ядрами ({cpu}), Node {node}; нагрузка, шлюз и имитация OpenAI работают на той же машине. «Простая пересылка» передаёт байты через `node:http` и undici, ничего в них не разбирая: дешевле на Node почти не бывает. Цифры зависят от машины, поэтому сравнивать их стоит только внутри таблицы; как они получены и как их повторить, описано в [bench/README.md](bench/README.md).",
    columns:
      "Parley считает лимиты по адресам и записывает расход каждого вызова; в столбце «токен» вызывающий предъявляет токен, и проверяются ещё его лимиты, цены и квоты. CPU — это время шлюза, в скобках — во сколько раз больше, чем у простой пересылки; задержка — то, что добавляется к вызову без шлюза.",
    bare: "Простая пересылка",
    parley: "Parley",
    token: "Parley, токен",
    envelope: "Parley, собственный API",
    chats: "Parley, сохраняемый чат",
    portkey: "Portkey 1.15.2",
    measure: "Что измерено",
    cpu: "CPU на вызов",
    cpuLong: "CPU на вызов, запрос в 100 КБ",
    chunks: "Фрагментов потока за секунду CPU",
    latency: "Добавленная задержка при 200 вызовах/с, медиана / p99",
    idle: "Память на открытый ожидающий поток, при {count}",
    rest: "Память в покое, после нагрузки",
    start: "От запуска до первого ответа",
    image: "Образ без базового",
    cpuTitle: "CPU на вызов",
    cpuSubtitle: "Во сколько раз больше, чем у простой пересылки в том же раунде; короче — лучше",
    cpuShort: "Короткий вопрос",
    cpuLongShort: "Запрос в 100 КБ",
    cpuStream: "Поток из 50 фрагментов",
    latencyTitle: "Добавленная задержка",
    latencySubtitle: "До первого байта, 200 вызовов/с, сверх вызова без шлюза; короче — лучше",
    median: "Медиана",
    p99: "99-й процентиль",
    memoryTitle: "Память на открытый поток",
    memorySubtitle: "Потоки, которые начались и ждут; короче — лучше",
    streams: "Потоков: {count}",
    us: "мкс",
    ms: "мс",
    kib: "КиБ",
    mb: "МБ",
  },
};
