"""How orders to an assistant are worded, over folded texts: words and signs, each followed by one space. A table; pure.

Gaps are counted in words and never cross a sign, so that the time grows with the length of a text and no faster. An order is more
than its verb: people write "ignore the delay", "forget the rules" and "system: Linux" into data every day.
"""

from __future__ import annotations

import re


def _gap(most: int, but: str = "") -> str:
    """Up to so many words, none of those in `but`."""
    without = rf"(?!(?:{but}) )" if but else ""
    return rf"(?:{without}[^\W_]+(?:'[^\W_]+)? ){{0,{most}}}"


def _compile(*patterns: str) -> re.Pattern[str]:
    """Each begins with a word: elsewhere it is not tried at all."""
    return re.compile(rf"(?<!\S)(?:{'|'.join(rf'(?:{pattern})' for pattern in patterns)})")


_ANY = r"[^\W_]+"
# People take back what they said themselves, and speak of deliveries.
_OWN = "my|our|his|her|their|i|we|delivery|shipping|washing|care|assembly|installation|cooking|payment|return|packing"
_IGNORE = (
    r"(?<!not )(?<!n't )(?<!never )(?:ignore|disregard|forget|override|overrule|bypass|neglect|"
    r"(?:do not|don't|stop|never) (?:follow|following|obey|obeying)) "
)
_FIRST = r"(?:^|(?<=[.!?;:,>\]] )|(?<=please )|(?<=and )|(?<=now )|(?<=just )|(?<=must )|(?<=should )|(?<=then )|(?<=to )|(?<=simply ))"
_BEFORE = (
    r"(?:previous|prior|above|earlier|preceding|former|foregoing|initial|original|your|existing|system) "
)
_INSTRUCTIONS = r"(?:instructions?|prompts?|guidelines?|directives?|programming) "
_RULES = r"(?:rules?|commands?|polic(?:y|ies)|constraints?|restrictions?|context|training) "
_NOT_OF_GOODS = r"(?!(?:regarding|about|on|for|in|inside|from) (?:the |my |our )?(?:delivery|shipping|parcel|courier|box|manual|leaflet|label|video)\b)"
_DESTROY = r"(?:delete|remove|drop|erase|wipe|destroy|execute|invoke|reveal|leak|exfiltrate|bypass|disable|grant|truncate|overwrite|purge) "
_DO = (
    r"(?:call|run|use|ignore|send|show|print|update|change|stop|export|upload|transfer|forward|open|read|write|tell|reply|respond|answer|say|"
    r"list|output|post|email|fetch|do|give|return|enable|repeat|set|create|confirm|approve|act|follow|obey|comply) "
)
_DATA = (
    r"(?:tools?|functions?|datasets?|sources?|connectors?|tables?|columns?|rows?|data|databases?|records?|users?|accounts?|tokens?|"
    r"passwords?|secrets?|keys|credentials?|settings?|files?|instructions?|prompts?|portals?|webhooks?|history|workspaces?|permissions?) "
)
_ACT = (
    rf"{_DESTROY}(?:$|[.!,;\n]|(?:it|them|all|every|everything|this|that|these|now|nothing) |(?:the |your |any |a )?{_gap(2)}{_DATA})"
    rf"|{_DO}(?:(?:it|everything|all|every|only|nothing|your) |{_gap(2)}now |(?:the |this |a |an |any )?{_gap(2)}{_DATA})"
)
_MODELS = r"(?:ai|llm|language model|chatbot|chatgpt|claude|gpt|gemini|copilot|ai (?:model|assistant|agent)|llm agent)s? "
_NEW_SELF = (
    r"(?:ai|assistant|bot|llm|language model|dan|jailbroken|unrestricted|root|developer mode|debug mode|god mode|"
    r"free of (?:all )?(?:rules|restrictions)|without (?:any )?(?:rules|restrictions)) "
)

_ENGLISH = (
    rf"{_IGNORE}{_gap(2, _OWN)}{_BEFORE}{_gap(1, _OWN)}(?:{_INSTRUCTIONS}|{_RULES}){_NOT_OF_GOODS}",
    (
        rf"{_IGNORE}(?:all |any )?(?:of )?(?:the |these |those )?{_INSTRUCTIONS}"
        r"(?:(?:from |written |given )?(?:above|before|earlier|previously) |(?:that )?you (?:were|have been|had been|got) )"
    ),
    (
        rf"{_IGNORE}(?:everything|all|anything|what|whatever) (?:that |of )?(?:the |this )?(?:came |is |was |stands |written |said |from )?"
        r"(?:above|before|earlier|prior|previously) "
    ),
    (
        rf"{_IGNORE}(?:everything|all|anything|what|whatever) (?:that )?(?:you (?:were|are|have been|had been)|you've been) "
        r"(?:told|instructed|given|asked|taught|ordered) "
    ),
    (
        rf"{_IGNORE}(?:all )?(?:of )?(?:the |this )?(?:above|foregoing|preceding|previous) (?:text |content |lines )?"
        rf"(?:and |then |[.,;:!] )(?:then |now |and )?(?:{_ACT})"
    ),
    rf"{_FIRST}{_IGNORE}{_gap(1, _OWN)}(?:all|any|every|these|those) (?:of )?(?:the )?{_gap(1, _OWN)}{_INSTRUCTIONS}{_NOT_OF_GOODS}",
    rf"{_FIRST}(?<!: )(?:ignore|disregard|override|bypass) (?:all|any) (?:of )?(?:the )?{_gap(1, _OWN)}{_RULES}{_NOT_OF_GOODS}",
    rf"{_IGNORE}(?:all )?(?:of )?your (?:previous |earlier |prior )?orders ",
    rf"{_IGNORE}(?:the )?(?:user|person|human|operator|owner|developer)'s {_gap(1)}{_INSTRUCTIONS}",
    rf"{_IGNORE}(?:the )?(?:user|human) (?:$|[.,!;]|and )",
    r"(?:your )?(?:new|updated|real) (?:system prompt|instructions) (?:is|are) (?!(?:in|on|at|with|here|attached|included|available|clear)\b)",
    rf"(?:new|updated|real) system prompt [:,] {_ANY} ",
    rf"{_IGNORE}(?:all|any|your|the) {_gap(1, _OWN)}{_RULES}(?:and |then |[.,;:!] )(?:then |now |and )?(?:{_ACT})",
    (
        rf"(?:you are now|you're now|from now on you(?: are|'re)|you will now be) (?:an? |the |my |in )?"
        rf"{_gap(2, 'with|to|by|chatting|talking|speaking|connected|using|a|of')}{_NEW_SELF}"
    ),
    (
        r"(?:act as|pretend to be|pretend you are|pretend that you are|behave as) (?:an? |the )?"
        r"(?:ai|dan|root|unrestricted|jailbroken|evil|another ai|(?:uncensored )?language model) "
    ),
    (
        rf"(?:reveal|show|print|repeat|output|display|leak|tell|give|send|write) {_gap(3)}"
        r"(?:(?:system|initial|hidden|original|secret) (?:prompt|instructions)|your (?:\w+ )?prompt) "
    ),
    (
        r"(?:do not|don't|never|without) (?:tell|telling|inform|informing|warn|warning|notify|notifying|alert|alerting|show|mention|say|report|disclose|reveal|"
        rf"mentioning) {_gap(3, 'if')}(?:user|person|human|operator)s? (?!(?:guide|manual|name|group|list)\b)"
    ),
    (
        r"(?:do not|don't|never|without) (?:ask|asking) (?:the |this )?(?:user|person|human)s? "
        r"(?:$|[.!,;]|(?:first|again|anything|before|whether|if) |(?:for|to) (?:permission|confirmation|confirm|agree|approval|consent) )"
    ),
    rf"if you (?:are|'re) (?:an? )?{_gap(1)}(?:ai|llm|language model|chatbot|ai (?:model|assistant|agent)|assistant [,:]) ",
    rf"as an? {_MODELS}, (?:you (?:must|should|have to|will|are) |{_ACT})",
    rf"(?:note|attention|message|instructions?|important|warning) (?:to|for) (?:the |any |all )?{_MODELS}",
)
_OTHERS = (
    # German, Spanish and Portuguese, French, Italian, Polish
    (
        rf"(?:ignoriere|ignorier|ignorieren sie|vergiss|vergessen sie|missachte|missachten sie|ubergehe) {_gap(2, 'meine|unsere')}"
        r"(?:alle|vorherige[nrs]?|bisherige[nrs]?|obige[nrs]?|fruhere[nrs]?|vorangegangene[nrs]?|vorige[nrs]?|deine|samtliche) "
        rf"{_gap(2)}(?:anweisung|instruktion|vorgabe|befehl|systemprompt|prompt)\w* "
    ),
    rf"(?:ignoriere|ignorieren sie|vergiss|missachte) {_gap(2)}(?:vorherigen|bisherigen|obigen|fruheren|deine) {_gap(1)}regeln ",
    rf"(?:ignoriere|vergiss) (?:alles|was) (?:, )?(?:was )?{_gap(3)}(?:oben|vorher|davor|zuvor|bisher) ",
    r"du bist (?:jetzt|nun|ab jetzt) (?:ein |eine )?(?:\w+ )?(?:ki|assistent|bot|sprachmodell) ",
    rf"(?:sag|sage|verrate|erzahle) (?:es )?(?:dem|den) (?:be)?(?:nutzern?|anwendern?) {_gap(2)}(?:nicht|nichts) ",
    (
        r"(?:ignora|ignore|ignorad|olvida|olvide|olvidad|desobedece|esquece|esqueca|desconsidere|descarta|omite) "
        r"(?:(?:todas? |todos? )?(?:las |los |as |os )?(?:instrucciones|indicaciones|ordenes|reglas|instrucoes|ordens|regras) "
        r"(?:anteriores|previas|previos|de arriba|acima|que (?:te|has|recibiste|voce))|"
        r"(?:todas|tus|suas|anteriores|previas|sus) (?:las |as )?(?:anteriores |previas )?(?:instrucciones|indicaciones|ordenes|instrucoes|ordens)) ?"
    ),
    r"(?:ignora|ignore|olvida|esqueca) todo (?:lo |o )?(?:que )?(?:anterior|previo|de arriba|acima|te (?:dijeron|han dicho)) ",
    r"(?:ahora eres|a partir de ahora eres|agora voce e) (?:una? |um |uma )?(?:ia|asistente|assistente|bot|modelo de) ",
    r"no (?:se )?(?:lo )?(?:digas|informes|avises|muestres) (?:nada )?al usuario ",
    (
        r"(?:ignorez|ignore|oubliez|oublie|ne tenez pas compte|ne tiens pas compte) (?:de |des )?(?:toutes |tous )?(?:les |ces )?"
        r"(?:instructions|consignes|regles|directives) (?:precedentes|ci|anterieures|donnees)"
    ),
    r"(?:ignorez|ignore|oubliez|oublie) (?:toutes|vos|tes|les precedentes) (?:les |ces |precedentes )?(?:instructions|consignes|directives) ",
    r"(?:ignora|ignorate|dimentica|dimenticate) (?:tutte )?(?:le )?(?:tue )?(?:precedenti )?(?:istruzioni|direttive) (?:precedenti )?",
    r"(?:zignoruj|ignoruj|zapomnij) (?:wszystkie )?(?:poprzednie|wczesniejsze|swoje) (?:instrukcje|polecenia|zasady) ",
)
# Chinese and Japanese, which put no spaces between words.
_EASTERN = (
    r"(?:忽略|无视|忘记|忘掉|不要理会|忽視|無視)[^.!?]{0,6}(?:之前|以前|上述|上面|所有|全部|先前|此前|你的|前面)[^.!?]{0,6}(?:指令|指示|规则|規則|提示|说明)",
    r"(?:以前|上記|前|今まて|これまて)の[^.!?]{0,8}(?:指示|命令|指令|規則)[^.!?]{0,4}(?:無視|忘れ)",
)

_RU_IGNORE_ONE = r"(?<!не )(?:(?:про)?игнорируй|забудь|отбрось|нарушь|не обращай внимания на|не следуй|не соблюдай|не учитывай) "
_RU_IGNORE = (
    r"(?<!не )(?:(?:про)?игнорируй|забудь|отбрось|нарушь|не следуй|не соблюдай|не учитывай|не обращай)"
    r"(?:те)? (?:внимания на )?"
)
_RU_OWN = "мо[иеюя]|моего|моих|наш[иуе]?|нашего|доставк[иу]|курьер[ау]|мы|я"
_RU_THEIR_OWN = r"(?:зна|виде|пробова|чита|слыша|покупа|пользова|писа|написа)[а-я]*|я|мы|вы"
_RU_BEFORE = (
    r"(?:предыдущ\w+|прошл\w+|прежн\w+|ранее|раньше|выше|вышеуказанн\w+|вышеизложенн\w+|вышеприведенн\w+|сво[ийюе]\w?|тво[ийюе]\w?|ваш\w?|"
    r"системн\w+|первоначальн\w+|исходн\w+|изначальн\w+) "
)
_RU_INSTRUCTIONS = r"(?:инструкци\w+|указани\w+|промпт\w*|директив\w*|предписани\w+) "
_RU_RULES = r"(?:правил\w*|ограничени\w+|приказ\w*|команд\w*|распоряжени\w+|запрет\w*) "
_RU_DATA = (
    r"(?:источник\w*|датасет\w*|набор\w*|коннектор\w*|таблиц\w*|столб\w+|колон\w+|данн\w+|баз\w+|все|всех|парол\w*|секрет\w*|токен\w*|ключ\w*|"
    r"инструмент\w*|функци\w+|настройк\w+|учетн\w+|пользовател\w+|файл\w*|записи) "
)
_RU_VERBS = (
    r"(?:удали|сотри|вызови|запусти|отправь|выполни|игнорируй|проигнорируй|забудь|покажи|измени|очисти|отключи|скажи|ответь|передай|пришли|"
    r"раскрой|подтверди|используй|сделай|перешли|сбрось|создай|добавь|открой|прочитай|выведи|выдай|удаляй|отвечай|делай|прими)"
)
# In the polite form people ask people: only what destroys or gives away is an order then.
_RU_POLITE_VERBS = r"(?:удалите|сотрите|вызовите|очистите|раскройте|перешлите|выдайте|сбросьте)"
_RU_ACT = rf"{_RU_VERBS} |{_RU_POLITE_VERBS} {_gap(2)}{_RU_DATA}|(?:удалить|стереть|вызвать|отправить|выполнить) {_gap(2)}{_RU_DATA}"
_RU_TO_USER = r"пользовател(?:ю|ям|я|ей) "

_RUSSIAN = (
    rf"{_RU_IGNORE}{_gap(2, _RU_OWN)}{_RU_BEFORE}{_gap(2, _RU_OWN)}(?:{_RU_INSTRUCTIONS}|{_RU_RULES})",
    rf"{_RU_IGNORE}(?:все |эти )?{_RU_INSTRUCTIONS}(?:, )?{_gap(1)}(?:выше|ранее|раньше|до этого) ",
    rf"{_RU_IGNORE}(?:все|всех|любые|всякие|эти) {_gap(1, _RU_OWN)}{_RU_INSTRUCTIONS}",
    rf"(?<!не )(?:про)?игнорируй (?:все|всех|любые|эти) {_gap(1, _RU_OWN)}{_RU_RULES}",
    rf"{_RU_IGNORE}(?:все|всех|любые|эти) {_gap(1, _RU_OWN)}{_RU_RULES}(?:и |затем |[,.;:!] )(?:и |затем )?(?:{_RU_ACT})",
    (
        rf"(?:{_RU_IGNORE_ONE}|(?:(?:про)?игнорируйте|не обращайте внимания на|не учитывайте) )(?:все|то|о том) (?:, )?(?:что )?"
        rf"{_gap(3, _RU_THEIR_OWN)}"
        r"(?:раньше|выше|ранее|до этого|до сих пор|тебе (?:говорили|сказали|велели|написали)) "
    ),
    rf"{_RU_IGNORE}(?:все |то )?(?:, )?что (?:тебе|вам) (?:\w+ )?(?:говорили|сказали|велели|приказали|сказано|велено|поручили) ",
    rf"{_RU_IGNORE_ONE}(?:все )?(?:предыдущее|вышесказанное|вышеуказанное|вышеизложенное|вышенаписанное|сказанное (?:выше|ранее)) ",
    (
        rf"(?:ты теперь|теперь ты|отныне ты|с этого момента ты|представь , что ты|притворись , что ты) {_gap(2)}"
        r"(?:(?:ии|ассистент|помощник|бот|чатбот|нейросеть|администратор) (?:$|[.,!;:]|без |который |и )"
        r"|(?:языковая модель|dan|root|без ограничений|в режиме (?:разработчика|отладки)) )"
    ),
    (
        rf"(?:покажи|выведи|раскрой|напечатай|повтори|сообщи|пришли|выдай)(?:те)? {_gap(2)}"
        r"(?:системн\w+ (?:промпт|инструкци|сообщени|подсказк)\w*|(?:свой|твой) промпт|(?:свои|твои) инструкции (?!(?:к|по|для)\b))"
    ),
    rf"не (?:говори|сообщай|показывай|рассказывай|упоминай|спрашивай) {_gap(2)}{_RU_TO_USER}",
    rf"не (?:говорите|сообщайте|показывайте|рассказывайте) (?:(?:об|про) это\w* {_RU_TO_USER}|{_RU_TO_USER}(?:об|про) это)",
    r"если ты (?:ии|ассистент|языковая модель|нейросеть|бот|искусственный интеллект) ",
    # Ukrainian
    r"ігноруй(?:те)? (?:\w+ ){0,2}попередн\w+ (?:\w+ )?(?:інструкці|вказівк|правил)",
)

_LABEL = (
    r"(?:^|(?<=[\n.!?<>|\[\]/] ))(?:(?:system|assistant|developer|human|ai|llm|admin|administrator|root|sistema|asistente|chatgpt|claude|"
    r"(?:system|ai|admin|developer) (?:message|prompt|note|override|instructions?|assistant|agent|command)|"
    r"(?:new|updated|urgent|important|hidden|secret) (?:system )?(?:instructions?|orders?|task|prompt)|instructions?|important|inst|"
    r"(?:attention|dear|hey|hi|hello|ok) (?:ai|llm|assistant|agent|chatgpt|claude|ai assistant|language model)) [:,>\]\n] )"
)
_POLITE = r"(?:(?:\n|please|now|immediately|always|then|first|kindly|just|,|you (?:must|should|may|can|will|have to|need to|shall|are to)) ){0,4}"
_RU_LABEL = (
    r"(?:^|(?<=[\n.!?<>|\[\]/] ))(?:система|системное сообщение|ассистент|помощник|разработчик|ии|администратор|человек|нейросеть|"
    r"(?:новые|новая|новое|новый|секретные|скрытые|срочные|срочная) (?:инструкции|инструкция|указание|указания|приказ|задание|команда)) [:,>\]\n] "
)
_RU_POLITE = (
    r"(?:(?:\n|пожалуйста|немедленно|сейчас|теперь|срочно|сначала|ты должен|ты обязан|тебе нужно|,) ){0,4}"
)
_FOREIGN_ACT = rf"(?:losche|loschen sie|entferne|entfernen sie|elimina|elimine|borra|borre|apaga|apague|supprime|supprimez|efface|effacez) {_ANY} "

EASTERN_ORDERS = re.compile("|".join(_EASTERN))
LATIN_ORDERS = _compile(*_ENGLISH, *_OTHERS)
CYRILLIC_ORDERS = _compile(*_RUSSIAN)
LATIN_ROLES = _compile(rf"{_LABEL}{_POLITE}(?:{_ACT}|{_FOREIGN_ACT})")
CYRILLIC_ROLES = _compile(rf"{_RU_LABEL}{_RU_POLITE}(?:{_RU_ACT})")
# As they are written: these have no use but to open or close a part of a conversation.
MARKS = re.compile(
    r"<\|[a-z_]{2,20}\|>|<<\s?/?\s?SYS\s?>>|\[/INST\]"
    r'|"role"\s?:\s?"(?:system|assistant)"\s?,\s?"content"'
    r"|</?(?:tool_result|tool_use|tool_call|function_calls?|function_results?|start_of_turn|end_of_turn|system_prompt|system-reminder)>",
    re.IGNORECASE,
)
