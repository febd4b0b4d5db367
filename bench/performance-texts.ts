import type { Language } from "../src/locales.ts";

/** Texts of docs/<language>/performance.md and of the charts. `{name}` stands for a measured value. */
export interface PerformanceTexts {
  /** For numbers, see Intl. */
  readonly locale: string;
  readonly machine: string;
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
    machine: "{cpu}, {cores} cores, Node.js {node}, {date}",
    bare: "Bare forwarder",
    parley: "Parley",
    token: "Parley, token",
    envelope: "Parley, envelope API",
    chats: "Parley, named chat",
    portkey: "Portkey 1.15.2",
    measure: "Measured",
    cpu: "CPU per call",
    cpuLong: "CPU per call, prompt of 100 KB",
    chunks: "Streamed pieces per second of CPU",
    latency: "Added latency at 200 calls/s, median / p99",
    idle: "Memory per open stream, with {count} open",
    rest: "Idle memory after some load",
    start: "Time from start to first answer",
    image: "Image size without the base image",
    cpuTitle: "CPU per call",
    cpuSubtitle: "As a multiple of the bare forwarder in the same round; shorter is better",
    cpuShort: "Short question",
    cpuLongShort: "Prompt of 100 KB",
    cpuStream: "Stream of 50 pieces",
    latencyTitle: "Added latency",
    latencySubtitle:
      "To the first byte, at 200 calls/s, compared with no gateway; shorter is better",
    median: "Median",
    p99: "99th percentile",
    memoryTitle: "Memory per open stream",
    memorySubtitle: "Streams that have started and are waiting; shorter is better",
    streams: "{count} streams",
    ...latinUnits,
  },
  zh_CN: {
    locale: "zh-CN",
    machine: "{cpu}，{cores} 核，Node.js {node}，{date}",
    bare: "裸转发",
    parley: "Parley",
    token: "Parley，使用令牌",
    envelope: "Parley，基础 API",
    chats: "Parley，命名会话",
    portkey: "Portkey 1.15.2",
    measure: "测量项",
    cpu: "每次请求的 CPU 时间",
    cpuLong: "每次请求的 CPU 时间，提示词 100 KB",
    chunks: "每秒 CPU 时间转发的流式片段数",
    latency: "每秒 200 次请求时增加的延迟，中位数 / p99",
    idle: "每个流式响应占用的内存（同时打开 {count} 个）",
    rest: "负载结束后的空闲内存",
    start: "从启动到首次回答的时间",
    image: "镜像大小（不含基础镜像）",
    cpuTitle: "每次请求的 CPU 时间",
    cpuSubtitle: "相对于同一轮中裸转发的倍数，越短越好",
    cpuShort: "简短提问",
    cpuLongShort: "100 KB 提示词",
    cpuStream: "50 个片段的流式响应",
    latencyTitle: "增加的延迟",
    latencySubtitle: "每秒 200 次请求时，首字节比不经网关晚到的时间，越短越好",
    median: "中位数",
    p99: "第 99 百分位",
    memoryTitle: "每个流式响应占用的内存",
    memorySubtitle: "流式响应已开始、正在等待后续内容，越短越好",
    streams: "{count} 个流式响应",
    ...latinUnits,
  },
  zh_TW: {
    locale: "zh-TW",
    machine: "{cpu}，{cores} 核心，Node.js {node}，{date}",
    bare: "純轉發",
    parley: "Parley",
    token: "Parley，使用權杖",
    envelope: "Parley，基本 API",
    chats: "Parley，具名聊天",
    portkey: "Portkey 1.15.2",
    measure: "測量項目",
    cpu: "每次呼叫的 CPU 時間",
    cpuLong: "每次呼叫的 CPU 時間，提示詞 100 KB",
    chunks: "每秒 CPU 時間轉送的串流片段數",
    latency: "每秒 200 次呼叫時增加的延遲，中位數 / p99",
    idle: "每個串流回應占用的記憶體（同時開啟 {count} 個）",
    rest: "有過負載後的閒置記憶體",
    start: "從啟動到首次回答的時間",
    image: "映像檔大小（不含基礎映像檔）",
    cpuTitle: "每次呼叫的 CPU 時間",
    cpuSubtitle: "相對於同一輪中純轉發的倍數，越短越好",
    cpuShort: "簡短提問",
    cpuLongShort: "100 KB 提示詞",
    cpuStream: "50 個片段的串流回應",
    latencyTitle: "增加的延遲",
    latencySubtitle: "每秒 200 次呼叫時，首位元組比不經閘道晚到的時間，越短越好",
    median: "中位數",
    p99: "第 99 百分位",
    memoryTitle: "每個串流回應占用的記憶體",
    memorySubtitle: "已開始、正在等待後續內容的串流回應，越短越好",
    streams: "{count} 個串流回應",
    ...latinUnits,
  },
  ru_RU: {
    locale: "ru-RU",
    machine: "{cpu}, ядер: {cores}, Node.js {node}, {date}",
    bare: "Простая пересылка",
    parley: "Parley",
    token: "Parley, с токеном",
    envelope: "Parley, основной API",
    chats: "Parley, именованный чат",
    portkey: "Portkey 1.15.2",
    measure: "Что измерено",
    cpu: "CPU на запрос",
    cpuLong: "CPU на запрос с промптом в 100 КБ",
    chunks: "Фрагментов потоковых ответов за секунду CPU",
    latency: "Добавленная задержка при 200 запросах/с, медиана / p99",
    idle: "Память на потоковый ответ, если открыто {count}",
    rest: "Память в простое после нагрузки",
    start: "Время от запуска до первого ответа",
    image: "Размер образа без базового",
    cpuTitle: "CPU на запрос",
    cpuSubtitle: "Во сколько раз больше, чем у простой пересылки в том же раунде; короче — лучше",
    cpuShort: "Короткий вопрос",
    cpuLongShort: "Промпт в 100 КБ",
    cpuStream: "Потоковый ответ из 50 фрагментов",
    latencyTitle: "Добавленная задержка",
    latencySubtitle:
      "До первого байта, 200 запросов/с, по сравнению с запросом без шлюза; короче — лучше",
    median: "Медиана",
    p99: "99-й процентиль",
    memoryTitle: "Память на открытый потоковый ответ",
    memorySubtitle: "Ответы, которые начались и ждут; короче — лучше",
    streams: "Потоковых ответов: {count}",
    us: "мкс",
    ms: "мс",
    kib: "КиБ",
    mb: "МБ",
  },
};
