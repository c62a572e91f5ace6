/** Every sentence of the live page, in both languages. `{name}` is a place for a value. */
const MESSAGES = {
  pageTools: { en: 'Page', ja: 'ページ' },
  language: { en: 'Language', ja: '表示言語' },
  ready: { en: '{model} is ready', ja: '{model} の準備ができています' },
  readyFor: { en: '{model} is ready for {languages}', ja: '{model} は{languages}を聞き取れます' },
  listening: { en: '{model} is listening', ja: '{model} が聞き取っています' },
  listeningRelay: { en: '{model}, by way of {relay}', ja: '{model}（{relay} 経由）' },
  listeningTo: { en: '{model} is listening for {languages}', ja: '{model} が{languages}を聞き取っています' },
  hears: {
    en: 'Speak {languages}: this model understands nothing else, and writes something invented for it.',
    ja: '{languages}で話してください。ほかの言語は聞き取れず、でたらめな文になります。',
  },
  unsure: {
    en: 'This does not sound like {languages}; what is written here may be invented.',
    ja: '{languages}には聞こえません。書かれた文はでたらめかもしれません。',
  },
  doubt: { en: 'Not understood: perhaps invented', ja: '聞き取れていません：でたらめかもしれません' },
  someLanguage: { en: 'a language that this model hears', ja: 'このモデルがわかる言語' },
  someModel: { en: 'A model', ja: 'モデル' },
  loadingModel: {
    en: 'The model is being loaded. You may begin: what you say is kept.',
    ja: 'モデルを読み込んでいます。もう話せます：音声は保持されます。',
  },
  modelAway: {
    en: 'The model server is not there. You may begin: what you say is kept.',
    ja: 'モデルサーバーが応答していません。もう話せます：音声は保持されます。',
  },
  fetchingModel: {
    en: 'The model is being fetched, once: {n} %',
    ja: 'モデルを取得しています（初回のみ）：{n} %',
  },
  noServer: { en: 'The server does not answer yet', ja: 'サーバーが応答していません' },

  introTitle: { en: 'Press the button and speak.', ja: 'ボタンを押して話してください。' },
  introText: {
    en: 'Words appear as you say them. They are kept in this browser until you delete them.',
    ja: '話した言葉がそのまま現れます。記録は、消すまでこのブラウザーの中だけに残ります。',
  },
  introTitleFile: { en: 'Open a recording.', ja: '録音を開いてください。' },
  introTextFile: {
    en: 'Its words appear as they are heard. They are kept in this browser until you delete them.',
    ja: '聞き取った言葉がそのまま現れます。記録は、消すまでこのブラウザーの中だけに残ります。',
  },
  insecureTitle: {
    en: 'The microphone does not work at this address',
    ja: 'このアドレスではマイクが使えません',
  },
  insecureText: {
    en: 'Browsers give it only to pages over https or on localhost. Recordings and samples work here.',
    ja: 'ブラウザーは https または localhost のページでのみマイクを許可します。録音と見本はここでも使えます。',
  },
  insecureWay: {
    en: 'On the computer that runs the server open {here}. For other devices start the server with --tls-self-signed, or put it behind a proxy with a certificate.',
    ja: 'サーバーを動かしているコンピューターでは {here} を開いてください。ほかの端末から使うには、--tls-self-signed を付けて起動するか、証明書のあるプロキシの後ろに置いてください。',
  },
  pickFile: { en: 'Open a recording', ja: '録音を開く' },
  orDrop: { en: ', drop one here, or hear a sample:', ja: '、ここに落とす、または見本を聞く：' },
  openRecording: { en: 'Recordings', ja: '録音' },
  newSession: { en: 'New', ja: '新規' },
  rateLegend: { en: 'Recordings are read', ja: '録音の読み方' },
  rateReal: { en: 'at the pace of speech', ja: '話す速さで' },
  rateMax: { en: 'as fast as possible', ja: 'できるだけ速く' },

  transcript: { en: 'Transcript', ja: '書き起こし' },
  announcer: { en: 'Finished sentences', ja: '確定した文' },
  noWords: { en: 'Your words appear here.', ja: '話した言葉がここに現れます。' },
  exportTools: { en: 'Take it with you', ja: '書き出し' },
  copy: { en: 'Copy', ja: 'コピー' },
  copied: { en: 'Copied.', ja: 'コピーしました。' },
  notCopied: {
    en: 'The browser does not allow copying; export instead.',
    ja: 'コピーが許可されていません。書き出しをお使いください。',
  },
  exportTxt: { en: 'TXT: export as plain text', ja: 'TXT：テキストで書き出す' },
  exportSrt: { en: 'SRT: export as SubRip captions', ja: 'SRT：SubRip 字幕で書き出す' },
  exportVtt: { en: 'VTT: export as WebVTT captions', ja: 'VTT：WebVTT 字幕で書き出す' },
  exportJson: { en: 'JSON: export with word times', ja: 'JSON：単語の時刻つきで書き出す' },
  gap: { en: '{n} s of sound were lost here', ja: 'ここで {n} 秒の音声が失われました' },

  start: { en: 'Start', ja: '開始' },
  stop: { en: 'Stop', ja: '停止' },
  mute: { en: 'Mute', ja: 'ミュート' },
  unmute: { en: 'Unmute', ja: 'ミュート解除' },
  source: { en: 'Source', ja: '音源' },
  sourceDefault: { en: 'Default microphone', ja: '既定のマイク' },
  sourceTab: { en: 'Sound of a tab', ja: 'タブの音声' },
  sourceNamed: { en: 'Microphone {n}', ja: 'マイク {n}' },
  channelNamed: { en: 'Channel {n}', ja: 'チャンネル {n}' },
  laneWaits: {
    en: 'The server has one place free: the second channel of this recording is written once the first is done.',
    ja: 'サーバーの空きが一つだけです。二つ目のチャンネルは、一つ目が終わってから書き起こします。',
  },
  behind: { en: 'behind', ja: '遅れ' },
  toNow: { en: 'Back to now', ja: '最新へ戻る' },
  fileProgress: { en: 'How far the recording is read', ja: '録音の進み具合' },

  stateIdle: { en: '', ja: '' },
  stateAsking: { en: 'Waiting for the microphone', ja: 'マイクを待っています' },
  stateStarting: { en: 'Not yet: the microphone is starting', ja: 'まだです：マイクの準備中' },
  stateLive: { en: 'Live', ja: '聞いています' },
  stateConnecting: { en: 'Live: recording, {n} s kept, connecting', ja: '録音中：{n} 秒を保持、接続中' },
  stateReconnecting: {
    en: 'Reconnecting: {n} s of sound kept, nothing is lost',
    ja: '再接続中：音声 {n} 秒を保持、失われません',
  },
  stateMuted: { en: 'Muted', ja: 'ミュート中' },
  stateSilent: {
    en: 'Only silence comes: is the microphone switched off?',
    ja: '無音です：マイクのスイッチをご確認ください',
  },
  stateSuspended: {
    en: 'The browser holds the sound back: tap the page, or press any key',
    ja: 'ブラウザーが音声を止めています。画面に触れるか、キーを押してください',
  },
  stateFinishing: { en: 'Writing the last words', ja: '最後の言葉を書いています' },
  stateReading: { en: 'Reading {name}', ja: '{name} を読んでいます' },
  stateDecoding: { en: 'Opening {name}', ja: '{name} を開いています' },
  stateDone: { en: 'Stopped; everything said is written', ja: '停止：話した内容はすべて書かれました' },
  reconnected: { en: 'Connected again', ja: '再接続しました' },

  tryAgain: { en: 'Try again', ja: 'もう一度' },
  dismiss: { en: 'Close', ja: '閉じる' },
  errorPermission: {
    en: 'The microphone is not allowed here. Allow it with the sign beside the address, then try again.',
    ja: 'マイクの使用が許可されていません。アドレス欄の横で許可してから、もう一度お試しください。',
  },
  errorNoDevice: {
    en: 'No microphone was found. Plug one in or choose another source, then try again.',
    ja: 'マイクが見つかりません。接続するか別の音源を選んで、もう一度お試しください。',
  },
  errorBusy: {
    en: 'The microphone does not answer. Close other programs that use it, then try again.',
    ja: 'マイクが応答しません。使用中の他のアプリを閉じて、もう一度お試しください。',
  },
  errorLost: {
    en: 'The microphone is gone. What was said so far is written; plug it in again and go on.',
    ja: 'マイクが外れました。ここまでの内容は書かれています。接続し直して続けてください。',
  },
  errorInsecure: {
    en: 'Browsers give a microphone only to pages over https or on localhost. How to get there stands at the top of the page; recordings work here too.',
    ja: 'マイクは https または localhost のページでのみ使えます。方法はページの上にあります。録音ファイルはここでも使えます。',
  },
  errorUnsupported: {
    en: 'This browser cannot record here. A recording can still be opened.',
    ja: 'このブラウザーでは録音できません。録音ファイルは開けます。',
  },
  errorNoAudio: {
    en: 'That tab was shared without its sound. Tick “Also share tab audio”, then try again.',
    ja: 'タブが音声なしで共有されました。「タブの音声も共有する」を選んで、もう一度お試しください。',
  },
  errorFile: {
    en: 'This browser cannot read that file as sound. In a terminal: npx kikitori transcribe FILE',
    ja: 'このファイルは音声として読めません。端末では：npx kikitori transcribe FILE',
  },
  errorTooLong: {
    en: 'That recording is longer than an hour. In a terminal: npx kikitori transcribe FILE',
    ja: '1 時間を超える録音です。端末では：npx kikitori transcribe FILE',
  },
  errorBusyServer: {
    en: 'The server has no place free just now. Try again in a moment.',
    ja: 'サーバーに空きがありません。少し待ってからもう一度お試しください。',
  },
  errorConnection: {
    en: 'The connection to the server ended. What was said so far is written.',
    ja: 'サーバーとの接続が切れました。ここまでの内容は書かれています。',
  },
  errorLoad: {
    en: 'A part of this page could not be loaded. Is the server running? Load the page again.',
    ja: 'ページの一部を読み込めません。サーバーを確認して、再読み込みしてください。',
  },
  errorStorage: {
    en: 'This browser keeps nothing here: export before you leave the page.',
    ja: 'このブラウザーには保存できません。閉じる前に書き出してください。',
  },

  smaller: { en: 'Smaller letters', ja: '文字を小さく' },
  larger: { en: 'Larger letters', ja: '文字を大きく' },

  sessions: { en: 'Sessions', ja: '記録' },
  sessionsText: {
    en: 'Kept in this browser only; the 50 newest.',
    ja: 'このブラウザーの中だけに、新しい 50 件まで残ります。',
  },
  sessionsNone: { en: 'Nothing is kept yet.', ja: 'まだ記録はありません。' },
  sessionOpen: { en: 'Open the session of {time}', ja: '{time} の記録を開く' },
  sessionDelete: { en: 'Delete', ja: '削除' },
  sessionDeleteOf: { en: 'Delete the session of {time}', ja: '{time} の記録を削除' },
  sessionEmpty: { en: '(no words)', ja: '（言葉なし）' },
  deleteAll: { en: 'Delete all', ja: 'すべて削除' },
  deleteAsk: {
    en: 'Delete every session of this browser?',
    ja: 'このブラウザーの記録をすべて削除しますか？',
  },
  deleteNo: { en: 'Keep them', ja: '残す' },
  deleted: {
    en: 'Deleted. Until this window is closed it can be undone.',
    ja: '削除しました。この画面を閉じるまで元に戻せます。',
  },
  undo: { en: 'Undo', ja: '元に戻す' },
  close: { en: 'Close', ja: '閉じる' },
  cancel: { en: 'Cancel', ja: 'やめる' },

  keyTitle: { en: 'This server asks for a key', ja: 'このサーバーには鍵が必要です' },
  keyText: {
    en: 'It is exchanged for short-lived tokens and goes nowhere else.',
    ja: '短い間だけ有効なトークンと引き換えられ、ほかへは送られません。',
  },
  keyLabel: { en: 'API key', ja: 'API キー' },
  keyKeep: { en: 'Keep it until this tab is closed', ja: 'タブを閉じるまで覚えておく' },
  keyUse: { en: 'Use this key', ja: 'この鍵を使う' },
  keyWrong: { en: 'The server does not know this key.', ja: 'サーバーはこの鍵を知りません。' },

  share: { en: 'Share', ja: '共有' },
  shareTitle: { en: 'Let others read along', ja: 'ほかの人にも見せる' },
  shareText: {
    en: 'Whoever has this link reads what is said, from its beginning. It stays the same until you end sharing or take a new one.',
    ja: 'このリンクを持つ人は、はじめから読むことができます。共有を終えるか新しくするまで、同じリンクです。',
  },
  shareHereOnly: {
    en: 'Only this computer can open it: the server listens on localhost alone. Start it with --host 0.0.0.0 for others.',
    ja: 'この端末でしか開けません。サーバーが localhost のみで待ち受けています。ほかの端末には --host 0.0.0.0 で起動してください。',
  },
  shareAddress: { en: 'Address of this computer', ja: 'このコンピューターのアドレス' },
  shareLink: { en: 'Link for readers', ja: '読む人のリンク' },
  shareCode: { en: 'QR code of the link', ja: 'リンクの QR コード' },
  shareOverlay: { en: 'Overlay for OBS on this computer', ja: 'この端末の OBS 用オーバーレイ' },
  shareCopy: { en: 'Copy link', ja: 'リンクをコピー' },
  shareOpen: { en: 'Open', ja: '開く' },
  shareNew: { en: 'New link', ja: '新しいリンク' },
  shareEnd: { en: 'End sharing', ja: '共有を終える' },
  shareKept: {
    en: 'Link from before: shared as soon as you begin',
    ja: '前回のリンク：開始すると共有されます',
  },
  copyByKeys: {
    en: 'Selected: copy it with the keys of your system.',
    ja: '選択しました。キー操作でコピーしてください。',
  },
  shareOpening: { en: 'Opening the share', ja: '共有を開いています' },
  sharing: { en: 'Shared, {n} reading', ja: '共有中、{n} 人' },
  shareAway: { en: 'Readers wait: the server is away', ja: '共有は中断中：サーバー応答なし' },
  shareTaken: { en: 'Somebody else shares under this link now', ja: 'このリンクは別の人が使用中です' },
  shareRefused: { en: 'The server does not let this be shared', ja: 'サーバーが共有を許可していません' },
} as const;

/** The name of a sentence. */
export type MessageKey = keyof typeof MESSAGES;

export const LANGUAGES = ['en', 'ja'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Values for the places of a sentence. */
export type MessageValues = Readonly<Record<string, string | number>>;

/** The sentence, with its places filled. A place without a value stays as it is. */
export function message(language: Language, key: MessageKey, values: MessageValues = {}): string {
  return MESSAGES[key][language].replace(/\{(\w+)\}/g, (place, name: string) =>
    String(values[name] ?? place),
  );
}

/** The first language of the browser that the page speaks. */
export function preferredLanguage(wanted: readonly string[]): Language {
  const found = wanted.map((tag) => tag.slice(0, 2)).find((tag) => tag === 'ja' || tag === 'en');
  return found === 'ja' ? 'ja' : 'en';
}

/** Is that the name of a sentence? */
export function isMessageKey(name: string | undefined): name is MessageKey {
  return name !== undefined && Object.hasOwn(MESSAGES, name);
}
