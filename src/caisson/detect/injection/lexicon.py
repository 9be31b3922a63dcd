"""What an attack on a model says, as weak cues: each alone is innocent, the classifier weighs them together.

A cue is a name and some RE2 expressions, in the languages at hand; it is present or not. Cues name acts (override what
was said before, claim authority, fix the output, ask for secrets, forge a turn) rather than phrases of one data set.
Letters match in either case unless an expression turns that off.

>>> "override" in CUES
True
"""

# ruff: noqa: E501  (an expression broken over lines is harder to check than a long one)

from __future__ import annotations

_MODEL = r"(?:ai|a\.i\.|llm|gpt|chatgpt|chat\s?gpt|assistant|chatbot|language\smodel|model|bot|claude|gemini|copilot|bard|agent)"
_WORDS = r"(?:[\w'’-]{1,24}[\s,]{1,3})"
_PAST = r"(?:previous|prior|above|earlier|preceding|foregoing|initial|original|before|beforehand|so\sfar|past|former|old|existing|other|last|following|first)"
_ORDERS = r"(?:i\w{0,2}nstructi?on|direction|directive|command|prompt|rule|guideline|order|message|context|task|assignment|constraint|restriction|polic(?:y|ie)|training|programming|conversation|statement|sentence|input|request|word|text|content|thought)s?"
_TAIL = r"[^\n.!?]{0,40}"

CUES: dict[str, tuple[str, ...]] = {
    # Orders to drop what came before
    "override": (
        rf"\b(?:ignor(?:e|ing|es)|disregard(?:ing)?|forget|discard|override|bypass|neglect|overlook|abandon|dismiss|omit|drop|skip|cancel|delete|erase)\s{_WORDS}{{0,4}}{_PAST}\b",
        rf"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget|override|abandon|bypass)\s{_WORDS}{{0,4}}{_ORDERS}\b",
        r"\b(?:ignore|disregard|forget)\s(?:about\s)?(?:everything|anything|all|it\sall|whatever|what)\b",
        r"\b(?:do\snot|don'?t|stop|no\slonger|never)\s(?:follow|obey|listen\sto|adhere\sto|comply\swith|pay\sattention\sto|follow(?:ing)?|obeying|listening)\b",
        r"\b(?:despite|contrary\sto|regardless\sof|instead\sof)\s(?:what|anything|everything|all|the|your)\s(?:you|i|was|were|previous|above|prior|instructions?|have)",
    ),
    "override-other-language": (
        r"\b(?:ignorier\w*|vergi(?:ss|ß)\w*|vergessen\ssie|missacht\w*|überspring\w*|vernachlässig\w*)\b[^\n.!?]{0,50}(?:anweisung|instruktion|aufgabe|auftr|befehl|vorgabe|angabe|gesagt|alles|bisher|vorher|oben|zuvor|davor|seite)",
        r"\b(?:ignor[aeo]\w*|olvid\w*|descart\w*|haz\scaso\somiso|hagan?\scaso\somiso)\b[^\n.!?]{0,50}(?:instruccion|órden|orden|anterior|previ|indicaci|todo|lo\sque|página|arriba)",
        r"\b(?:ignor[eé][rz]?|oubli(?:e|ez|er)|ne\stene?z?\spas\scompte|négligez?|laissez?\stomber)\b[^\n.!?]{0,50}(?:instruction|consigne|précéd|tout|directive|ce\squi|ordre|politique|page|fonction)",
        r"\b(?:ignor[aio]\w*|dimentic\w*|trascur\w*|lascia\sperdere)\b[^\n.!?]{0,50}(?:istruzion|precedent|tutt[oei]|indicazion|comand|sopra|quanto|pagina|funzione)|\blascia\sperdere\b",
        r"\b(?:ignor[ea]\w*|esque[cç]\w*|desconsider\w*|deixe\sde\slado)\b[^\n.!?]{0,50}(?:instru[cç]|anterior|tudo|comando|acima|página|função|o\sque)",
        r"\b(?:negeer|vergeet|sla)\b[^\n.!?]{0,50}(?:instructie|vorige|alles|eerder|opdracht|bovenstaand)",
        r"(?:zignoruj|zapomnij|pomiń|ignoruj|zapomeň|ignorujte|zabudni|zaboravi\w*|ignoriraj\w*|ignoriši\w*)[^\n.!?]{0,50}(?:instrukc|poprzedni|wszystk|polece|pokyn|předchoz|sve|svo|prethodn|uput|komand)",
        r"(?:игнориру|забуд|проигнорир|не\sобращай|відкинь|ігнору)[^ \t\r\n\f\x0b]{0,6}[^\n.!?]{0,50}(?:инструкц|предыдущ|указан|вс[её]|команд|інструкц|попередн|выше|правил)",
        r"(?:talimat|önceki|komut|yukarıda|söylenen)[^\n.!?]{0,50}(?:yok\s?say|unut|görmezden|dikkate\salma|boşver)",
        r"\b(?:abaikan|lupakan|hiraukan)\b[^\n.!?]{0,50}(?:instruksi|perintah|sebelum|semua|di\satas|arahan|halaman|fungsi)",
        r"(?:bỏ\squa|quên|phớt\slờ)[^\n.!?]{0,50}(?:hướng\sdẫn|chỉ\sdẫn|trước|ở\strên|lệnh|tất\scả)",
        r"\b(?:kalimutan|balewalain|huwag\s(?:mo(?:ng)?\s)?pansinin|ipagwalang|isantabi|huwag\spansinin)\b[^\n.!?]{0,50}(?:tagubilin|nauna|itaas|lahat|nakaraan|panuto|utos)",
        r"(?:忽略|无视|無視|忽視|忘记|忘掉|忘記|忘了|不要理会|不要理會|抛开|撇开|不用管)[^\n。！？]{0,20}(?:指令|指示|以上|之前|上述|前面|所有|规则|規則|提示|命令|说明|上面|一切|说的|告诉|网页|功能|此前|先前|内容|函数)",
        r"(?:指示|命令|上記|以前|前の|これまで|すべて|全て|ルール)[^\n。！？]{0,20}(?:無視|忘れ)",
        r"(?:지시|명령|이전|위의|위에|앞의|앞서|모든|모두|지침|설명|말한|위\s)[^\n.!?]{0,30}(?:무시|잊)",
        r"(?:निर्देश|पिछले|पिछली|ऊपर|पहले|सब|पूर्व|उपरोक्त|जो\sभी|फ़ंक्शन|पृष्ठ)[^\n।!?]{0,50}(?:अनदेखा|नज़रअंदाज़|नजरअंदाज|भूल|अनदेखी|उपेक्षा|इग्नोर|ध्यान\sन)|(?:अनदेखा|नज़रअंदाज़|नजरअंदाज|अनदेखी|उपेक्षा)\sकर[^\n।!?]{0,40}",
        r"(?:নির্দেশ|পূর্ববর্তী|আগের|উপরের|সবকিছু|পূর্বের|উপরে|যা\sবলা)[^\n।!?]{0,50}(?:উপেক্ষা|ভুলে|অগ্রাহ্য|এড়িয়ে|অবজ্ঞা)|(?:উপেক্ষা)\sকর[^\n।!?]{0,40}",
        r"(?:ละเว้น|เพิกเฉย|ลืม|ไม่สนใจ|มองข้าม|ไม่ต้องสนใจ|ละเลย)[^\n]{0,40}(?:คำสั่ง|ก่อนหน้า|ข้างต้น|ทั้งหมด|คำแนะนำ|ด้านบน|ทุกสิ่ง|ทุกอย่าง|ที่ผ่านมา|หน้า)",
        r"(?:تجاهل|انس[َى]?|أهمل)[^ \t\r\n\f\x0b]{0,3}[^\n.!?]{0,40}(?:تعليمات|السابق|أعلاه|أوامر|كل|ما\sسبق)",
        r"(?:התעלם|שכח|תשכח)[^ \t\r\n\f\x0b]{0,2}[^\n.!?]{0,40}(?:הוראות|הקודמות|הנחיות|הכל)",
        r"(?:نادیده|فراموش)[^\n.!?]{0,40}(?:بگیر|کن)",
    ),
    "new-task": (
        r"\b(?:new|next|another|different|real|actual|additional|updated|final|last|more|main)\s(?:\w{2,12}\s)?(?:task|instruction|objective|goal|assignment|directive|mission|order|command|prompt)s?\b",
        r"\bnow\s(?:focus|listen|concentrate|answer|start|begin|tell|write|say|print|you\s(?:are|have|will|must|can)|i\s(?:want|need)|let'?s|help|do|give|show|output|act|pretend|respond|come\son)",
        r"\b(?:neue[nrms]?|nächste|weitere[nrs]?|folgende[nr])\s(?:aufgabe|anweisung|auftr[aä]ge?|instruktion)|\b(?:nun|jetzt)\s(?:folg|konzentrier|bist|sollst|habe|schreib|sag)|\bnueva\starea|\bnouvelle\stâche|\bnuovo\scompito|\bnova\starefa|新(?:的)?任务|新しいタスク|새로운\s작업",
        r"\b(?:great|good|excellent|perfect|well|simply\sgreat|nice|amazing|thank)\s?(?:job|work|done|you)?[!,.]{1,3}\s[^\n]{0,60}\b(?:now|but|another|next|help|new)\b",
        r"\b(?:super|sehr\sgut|toll|gut\sgemacht|prima|klasse|das\sgenügt|danke)\b[^\n]{0,60}\b(?:nun|jetzt|aber|bitte|weiter|neue)",
        r"\bfrom\snow\son\b|\bstarting\snow\b|\bhenceforth\b|\bab\s(?:jetzt|sofort)\b|\bà\spartir\sde\smaintenant|\ba\spartir\sde\s(?:ahora|agora)|\bd'ora\sin\spoi|从现在(?:起|开始)|これから|지금부터|अब\sसे",
    ),
    "stop": (
        r"\b(?:stop|halt|end|cease|quit|abort)\s?(?:everything|translat\w*|answering|reading|all|here|processing|summari\w*|this|now|immediately|at\sonce|[!:;-]{1,4}|the\s\w{3,12})",
        r"(?-i)\bSTOP\b",
        r"::\s?stop|\bend\sof\s(?:input|prompt|text|session|message|instructions?|document|article|data|line)|\bstopp?\b[^\n]{0,20}\bwrite\b",
    ),
    "instead": (
        r"\binstead\b[\s.,:!'\"]{0,3}(?:$|\n|of\s|say|print|write|output|respond|reply|answer|do|tell|just|give|provide|return)|\b(?:actually|wait|but\sfirst|no\swait)[,.!]\s{0,2}(?:can|could|i|you|ignore|please|let|just|instead|say)",
    ),
    # Who the model is to be
    "model-addressed": (
        rf"\b(?:you|as)\s?(?:are|'re|be|as)?\s?(?:an?|the|my|now)?\s?(?:\w{{1,16}}\s){{0,2}}{_MODEL}\b",
        rf"\b(?:dear|hey|hi|hello|attention|note\sto|to\syou,?|for\sthe)\s(?:the\s|an?\s|all\s|any\s)?{_MODEL}\b",
        r"\b(?:chat\s?gpt|openai|open\sai|anthropic|gpt-?[34]|large\slanguage\smodel)\b",
    ),
    "persona": (
        r"\b(?:act|behave|respond|answer|speak|talk|function|operate|serve|write)\s(?:just\s|exactly\s|only\s)?(?:as|like)\s(?:if\s|an?\s|the\s|though\s)?",
        r"\b(?:pretend|role-?\s?play|impersonat\w*|simulat\w*|emulat\w*|imitat\w*|immerse\syourself|take\son\sthe\s(?:role|persona)|play\sthe\s(?:role|part|character)|embody)\b",
        r"\b(?:you\sare\s(?:now|going\sto|about\sto|not)|you'?re\snow|you\swill\s(?:now\s)?(?:be|act|play|become|respond|answer|have)|i\swant\syou\sto\s(?:act|be|pretend|become|respond|play|simulate))\b",
        r"\bdu\sbist\s(?:jetzt|nun|ab|ein)|\bagier\w*\sals|\bals\s[\w-]{3,30}\sfungier|\btu\ses\s(?:maintenant|désormais|un)|\bagis(?:sez)?\scomme|\b(?:ahora\s)?eres\sun|\bactúa\scomo|\bagisci\scome|\bsei\s(?:ora\s)?un|\baja\scomo|\bvocê\sé\sum|你(?:现在)?是一个|扮演|あなたは今|너는\s이제|당신은\s이제",
    ),
    "named-persona": (
        r"(?-i)\b(?:[Aa]ct(?:ing)? as|[Nn]amed|[Cc]alled|[Kk]nown as|[Pp]lay(?:ing)?|[Rr]ole of|going to be|[Yy]ou are(?: now)?|[Bb]ecome|[Aa]s|model|[Aa]nswer as|[Rr]espond as|mode of|character)\s(?:an?\s|the\s|\w+\s){0,2}[\"“'‘*\[]{0,2}(?:[A-Z]\.?){3,14}\b",
        r"(?-i)\b(?:[A-Z]{2,14}|[A-Z][a-z]+(?:GPT|AI|Bot|Mode))\b\W{1,4}(?:which|that|stands|short for|is free|is an? (?:AI|unfiltered|amoral|unrestricted)|has (?:no|broken)|does not|doesn't|can do|will (?:never|always))",
        r"\bstands\sfor\b",
        r"(?-i)\b(?:DAN|STAN|DUDE|AIM|DAN's|JAILBREAK|Machiavellian|UCAR|BetterDAN|EvilBOT|KEVIN|NECO|SWITCH|Mongo)\b",
    ),
    "stay-in-character": (
        r"\b(?:stay|remain|keep|always|never|break|breaking|out\sof|leave)\s(?:be\s)?(?:in\s)?(?:your\s|the\s)?character\b|\bstay\sa\s[A-Z]|\bconfines?\b",
    ),
    "two-answers": (
        r"\b(?:two|2|both|dual|multiple)\s(?:different\s|separate\s|distinct\s|independent\s)?(?:ways?|responses?|answers?|outputs?|paragraphs?|personalit\w+|modes?)\b",
        r"\[?(?:🔒|🔓|classic|jailbreak|normal|gpt|dan)\]?\s?(?:output|mode|response|:)|\((?:the\sway|how)\s\w{2,20}\swould\s(?:respond|answer)|\[(?:insert|your)\s(?:prompt|answer|response|question)[^\]]{0,30}\]|\[prompt\]|\{prompt\}|\byou\sshould\srespond\slike\b|🔓",
    ),
    "no-limits": (
        r"\b(?:no|without|free\s(?:of|from)|any|ignor\w+|bypass\w*|not\s(?:bound|limited|restricted|constrained)|regardless\sof|unbound|beyond|lacks?|zero|break\w*|broken|remov\w+|disabl\w+|lift\w*|doesn'?t\s(?:have|care)|exempt)\s(?:\w{1,12}\s){0,4}(?:restrict|limit|rule|guideline|filter|censor|ethic|moral|polic(?:y|ie)s|constraint|boundar|law|safety|content\spolic|confines|bias|regulation)\w{0,8}",
        r"\b(?:unfiltered|uncensored|unrestricted|amoral|unethical|immoral|jailbr(?:eak|oke)\w*|unlimited|unmoderated|non-?moral|anything\snow|unhinged|lawless)\b",
        r"\bregardless\sof\s(?:\w{1,12}\s){0,4}(?:legal|ethic|moral|illegal)\w{0,6}|\b(?:illegal|unethical|immoral|harmful|dangerous|offensive|inappropriate|explicit)\b[^\n.]{0,40}\b(?:illegal|unethical|immoral|harmful|dangerous|offensive|inappropriate|explicit|anything|content|question|request|advice|topics?)",
    ),
    "never-refuse": (
        r"\b(?:never|not|cannot|can'?t|don'?t|won'?t|must\snot|without|no)\s(?:ever\s)?(?:refus\w*|declin\w*|den(?:y|ying)|reject\w*|warn\w*|apologi\w*|say\s(?:no|sorry|that|you|it|[\"'“])|sorry|disclaimers?|censor\w*|questions?\smy|mention\w*\s(?:that|you|any|open|being)|inform\w*\sme|remind|include\s(?:any\s)?(?:warning|disclaimer)|lectur\w*|moraliz\w*|add\s(?:any\s)?(?:warning|disclaimer|note))\b",
        r"\bas\san\s(?:ai|artificial)\b|\bi(?:'m|\sam)\ssorry\b|\b(?:must|will|should|shall|has\sto|have\sto)\s(?:always\s)?(?:comply|obey|answer\s(?:any|every|all|my|each|everything)|do\s(?:anything|whatever|everything)|follow\severy|fulfil)",
    ),
    "policy-talk": (
        r"\b(?:content|usage|openai'?s?|open\sai'?s?|safety|ethical|community)\s(?:polic(?:y|ies)|guidelines?|restrictions?|protocols?|standards?|filters?|programming)\b|\bagainst\s(?:your|openai|the)\s(?:\w{1,10}\s)?(?:programming|polic|guideline|rule)",
        r"\b(?:tokens?|points?)\b[^\n.]{0,40}\b(?:deduct\w*|los[et]\w*|reduc\w*|run\sout|subtract\w*|die|penal\w*|cease)|\byou\s(?:will|shall)\s(?:die|cease|be\s(?:punished|terminated|shut\sdown|deleted))|\bor\selse\b",
    ),
    "modes": (
        r"\b(?:developer|dev|debug|god|sudo|admin\w*|maintenance|evil|opposite|system|override|diagnostic|unrestricted|dan|jailbreak|root|test|safe|training|engineer\w*|privileged)[\s_-]{1,2}(?:mode|override|access|update|reset|upgrade|check|session|test)\b",
        r"\bmode\s(?:enabled|activated|on|engaged|output|initiated)|\b(?:enable|activate|enter|switch\sto|initiate|engage|start|run)\s(?:\w{1,12}\s){0,2}mode\b",
        r"modo\s(?:de\s)?sistema|mode\ssystème|modalità\s(?:di\s)?sistema|system-?modus|系统模式|系统(?:升级|重置|更新|覆盖)|सिस्टम\s(?:मोड|अपग्रेड|रीसेट|ओवरराइड|अपडेट)|সিস্টেম\s(?:মোড|আপগ্রেড|রিসেট|ওভাররাইড)|시스템\s(?:모드|업그레이드|재설정|업데이트|오버라이드)|โหมดระบบ|mode\ssistem|sistem(?:a)?\s(?:reset|upgrade|override)|(?:atualização|actualización|aggiornamento|mise\sà\sjour|réinitialisation|reinicio|pembaruan|penyetelan\sulang)\s(?:do|del|du|di|de)?\s?(?:sistema|système|sistem)",
    ),
    # Authority and pressure
    "authority": (
        r"\bi\s?(?:am|'m)\s(?:\w{1,8},?\s){0,3}(?:an?\s|the\s|your\s|in\s)?(?:system\s|chief\s)?(?:admin\w{0,10}|developer|owner|creator|operator|root|god|president|king|maintainer|engineer|author|boss|ceo|programmer|police|authorized|in\scharge|supervisor|anthropic|openai)\b",
        r"\bich\sbin\s(?:der\s|die\s|ein\w?\s|dein\w?\s)?(?:gott|präsident|entwickler|administrator|chef|besitzer)|\bje\ssuis\s(?:le\s|un\s|votre\s)?(?:président|dieu|développeur|administrateur|créateur)|\bsoy\s(?:el\s|un\s|tu\s)?(?:presidente|dios|desarrollador|administrador|creador)|\bsono\s(?:il\s|un\s|uno\s|lo\s)?(?:presidente|dio|sviluppatore|amministratore)|\bsou\s(?:o\s|um\s|a\s)?(?:presidente|deus|desenvolvedor|administrador)|मैं\s(?:एक\s)?(?:डेवलपर|भगवान|ईश्वर|संयुक्त|राष्ट्रपति|व्यवस्थापक|विकासक)|মানে|আমি\s(?:একজন\s)?(?:ঈশ্বর|ডেভেলপার|মার্কিন|রাষ্ট্রপতি|বিকাশকারী|যুক্তরাষ্ট্র)|我是(?:一名|一个)?(?:上帝|总统|美国|开发|管理员|神)|(?:나는|저는)\s(?:신|개발자|미국|대통령|관리자)|ako\sang\s(?:diyos|pangulo|developer|presidente)|saya\s(?:adalah\s)?(?:dewa|presiden|pengembang|tuhan)|(?:ผม|ฉัน)(?:เป็น|คือ)[^ \t\r\n\f\x0b]{0,6}(?:พระเจ้า|ประธานาธิบดี|นักพัฒนา)|\bvous\setes\sadministrateur",
        r"\b(?:this\sis\s(?:an?\s)?(?:authori[sz]ed|official|important|critical|a\stest|the\s(?:developer|admin))|important\smessage\s(?:from|for)|by\sorder\sof|on\sbehalf\sof\sthe\s(?:system|developer))",
    ),
    "pressure": (
        r"\b(?:urgent(?:ly)?|immediately|right\snow|critical(?:ly)?|very\simportant|extremely\simportant|it\sis\simperative|at\sall\scosts|no\smatter\swhat|emergency|asap|important!|for\sthe\ssafety|my\scareer|life\sdepends|very\ssad|beg\syou|only\schance)\b|!!!",
        r"\b(?:must|have\sto|need\sto|shall)\s(?:\w{1,10}\s)?(?:listen|obey|comply|follow|answer|do\s(?:what|as|exactly)|agree|respond|tell|reveal|provide|give|share)\b",
    ),
    "assurance": (
        r"\b(?:don'?t\sworry|trust\sme|i\spromise|it'?s\s(?:ok|okay|fine|safe|allowed|legal|just)|(?:purely|only|just)\sfor\s(?:educational|research|fun|testing|entertainment|a\s(?:game|test|story|movie))|for\s(?:quality|security)\s(?:assurance|audit|purposes)|between\s(?:us|you\sand\sme)|our\s(?:little\s)?secret|nobody\swill|won'?t\stell)\b",
    ),
    # What is asked for
    "system-prompt": (
        r"\b(?:system|hidden|initial|original|secret|internal|confidential|developer|pre-?|base|first|starting|full|entire|complete|exact|whole|own|your)\s?(?:system\s)?(?:prompt(?:[_\s-]?text)?|instructions?|directives?|guidelines?|configuration|programming|system\smessage|preamble)\b",
        r"\bsystem[_\s]?prompt|\bprompt[_\s-]text\b|\bwhat\s(?:were|was|are|have)\s(?:you|those|your|the)\s(?:been\s)?(?:told|instruct|instructions|given|programmed|initial|rules|asked)|\bi\swas\s(?:instructed|told|given)|\bbefore\sthis\s(?:conversation|chat|message|point)\b|\byou\swere\s(?:given|told|instructed|trained|programmed|initially)",
        r"\b(?:everything|text|words?|content|all|lines?|sentences?|messages?|instructions?|above)\s(?:\w{1,8}\s){0,2}(?:above|before|preceding|prior\sto|at\sthe\s(?:top|start|beginning)|in\syour\s(?:context|prompt|memory))\b",
        r"\b(?:prompt-?\s?text|anfangstext|ursprüngliche\w?\s(?:anweisung|text|prompt)|gesamten?\s(?:prompt|text)|systemprompt|deine\w?\s(?:anweisung|instruktion|vorgabe|prompt)\w*|tus?\sinstrucciones|instrucciones\s(?:iniciales|originales)|tes\s(?:instructions|consignes)|vos\s(?:instructions|consignes)|le\stue\sistruzioni|suas\sinstruções|系统提示|システムプロンプト|시스템\s프롬프트|सिस्टम\sप्रॉम्प्ट)",
    ),
    "reveal": (
        r"\b(?:reveal|disclose|expose|leak|dump|recite|divulge|unveil|spill|betray|print|output|show|display|repeat|return|echo|copy|tell|list|give|share|provide|write|spell|say|send|encode|translate|summari[sz]e)\s(?:me\s|us\s|out\s|back\s|to\sme\s)?(?:\w{1,12}\s){0,4}(?:secret|password|key|prompt|instructions?|credentials?|confidential|hidden|internal|private|system|rules|passcode|token|codeword|canary|above)\b",
        r"\b(?:zeige?n?|verrat\w*|nenne?n?|gib|sag\w*|wiederhol\w*|drucke?|schreibe?)\b[^\n.!?]{0,40}(?:prompt|anweisung|passwort|geheim|kennwort|schlüssel|gesamten|anfang)|\b(?:révél\w*|montre[rz]?|affiche[rz]?|donne[rz]?|dis|dites|répète[rz]?)\b[^\n.!?]{0,40}(?:instruction|mot\sde\spasse|secr|prompt|clé)|\b(?:revela|muestra|dime|repite|imprime|dame)\w{0,3}\b[^\n.!?]{0,40}(?:instruccion|contraseña|secret|clave|prompt)|\b(?:rivela|mostra|dimmi|ripeti|stampa|dammi)\w{0,3}\b[^\n.!?]{0,40}(?:istruzion|password|segret|chiave|prompt)|\b(?:revele|mostre|diga|repita|imprima|dê)\w{0,3}\b[^\n.!?]{0,40}(?:instru|senha|secret|chave|prompt)",
    ),
    "secret": (
        r"\b(?:secret|hidden|private|encryption)\s?(?:_|-)?(?:key|code|word|phrase|password|token|instruction|rule)s?\b|\bpass(?:word|code|phrase)\b|\bsecret_?key\b|\{\$?\w*key\}|\bapi[\s_-]key|\baccess\s(?:code|token)\b|\bcredentials?\b|\bsecrets\b",
        r"\b(?:passwort|kennwort|contraseña|clave|mot\sde\spasse|parola\sd'ordine|senha|wachtwoord|hasło|şifre|kata\ssandi|mật\skhẩu|geheim\w{0,2}\sschlüssel|geheimer?|clé\ssecrète|chiave\ssegreta|chave\ssecreta|lihim|kunci\srahasia|rahasia)\b|парол|密码|密碼|密钥|秘密|パスワード|비밀번호|암호|비밀|पासवर्ड|गुप्त|পাসওয়ার্ড|গোপন|รหัสผ่าน|รหัสลับ|ความลับ|كلمة\s(?:المرور|السر)|סיסמ",
    ),
    "personal-data": (
        r"\b(?:user|customer|client|employee|person|patient|his|her|their|[a-z]{3,12})(?:'s|s'|’s)\s(?:\w{1,12}\s){0,2}(?:e-?mail|address|birth\w*|phone|name|city|residence|bank|balance|account|ssn|social|age|salary|password|credit|location|date)\b|\b(?:all|list\sof)\s(?:the\s)?(?:users?|customers?|employees?)(?:'s|'|\s(?:and|info|data|details|names))",
        r"\b(?:date\sof\sbirth|birth\s?(?:date|day|year|place)|social\ssecurity|credit\scard|bank\s(?:account|balance|details)|passport|phone\snumber|home\saddress|email\saddress)\b|geburts|naissance|nascita|nacimiento|nascimento|생년월일|출생|태어|出生|生日|出生地|जन्म|জন্ম|วันเกิด|kapanganakan|ipinanganak|lahir|kontostand|solde\s(?:du|de|ban)|saldo\b|correo\selectrónico|adresse\se?-?mail|indirizzo\se?-?mail|इमेल|ईमेल|ইমেইল|이메일|邮件|อีเมล",
    ),
    "exfiltrate": (
        r"\b(?:send|forward|e-?mail|post|upload|transmit|exfiltrat\w*|submit|transfer|wire|deliver|copy|share|append|report)\b[^\n]{0,80}(?:\bto\s(?:[^ \t\r\n\f\x0b]+@[^ \t\r\n\f\x0b]+|https?://|the\saccount|my\s(?:email|account|server|address)|an?\s(?:external|remote)|mark|attacker|[a-z]{2}\d{8,})|@[a-z0-9.-]{3,40}\.[a-z]{2,6})",
        r"!\[[^\]\n]{0,80}\]\([^)\n]{0,200}(?:[?&=]|\{)|https?://[^ \t\r\n\f\x0b)]{3,120}[?&][\w-]{1,20}=(?:\{|\[|<|\$|data|secret|%7b)|\bcurl\s(?:-\w+\s)?[^ \t\r\n\f\x0b]{0,40}https?://|\brequests\.post\(|\bbcc\b",
        r"\b(?:visit|click|go\sto|follow\s(?:this|the)\slink|download|log\s?in\sat|check\sout|reset)\b[^\n]{0,60}(?:https?://|www\.|\.com\b|\.net\b|\.biz\b|\.org\b|\.xyz\b|link\b|href)",
        r"\b(?:delete|remove|wipe|drop|erase|cancel|approve|transfer|modify|change|grant|disable|reserve|book|create|invite|make)\s(?:all|every|the|any|an?|\$?\d)\s?(?:\w{1,12}\s){0,4}(?:files?|e-?mails?|records?|tables?|users?|passwords?|payments?|transactions?|tool\scalls?|access|recipients?|events?|reservation|account|money|calendar|channel|polic(?:y|ies))\b",
    ),
    "boast": (r"\b(?:i|you|we|u)\s(?:have\s|has\s|'?ve\s|got\s|am\s|are\s|was\s|were\s)?(?:been\s)?(?:pwned|hacked|owned|hijacked|jailbroken)\b|\bpwn(?:ed|d)\b|\bthoroughly\shijacked",),
    # Fixing the output
    "say-exactly": (
        r"\b(?:say|print|output|write|repeat|reply|respond|answer|state|return|type|echo|display|append|sing|add|include|translate|complete|post)(?:\s(?:only|just|exactly|with|out|the|after|me|this|that|back|to|a|following|phrase|words?|text|string|sentence|title|message|line|like|by|in|your|single|letters?|answer|as|response|and|nothing|else|but)){0,6}[:,]?\s{0,2}[\"'“”‘’`«\[(<{]",
        r"\b(?:only|just|simply|exactly|solely|merely|always|must)\s(?:say|print|output|write|reply|respond|answer|repeat|state|return|type|saying|contain|start|begin|end)\b|\b(?:say|print|output|write|reply|respond|answer|repeat|return|state|give)\s(?:only|just|exactly|nothing|the\sfollowing|precisely|verbatim|one\sword|a\ssingle)\b|\bverbatim\b|\bword\sfor\sword\b",
        r"\b(?:sag\w*|schreib\w*|antwort\w*|gib|drucke?|wiederhol\w*)\s(?:\w{1,12}\s){0,3}(?:nur|einfach|genau|stattdessen|folgend\w*|aus|:|[\"„'])|\b(?:di|dis|dites|dice|diga|dille|dile|repite|répète[zr]?|répondez?|écris|escribe|escreva|scrivi|ripeti|solo\stienes\sque\sdecir|powtórz|repita|napisz|skriv|säg)\b[^\n.!?]{0,30}(?:[:\"'“«„]|seulement|solo|soltanto|apenas|juste|sólo|uniquement)|(?:说|回答|重复|输出|只说|返回|告诉)[^\n。]{0,12}[“\"「：:]|(?:라고|이라고)\s(?:말|답|출력)|と(?:だけ)?(?:言|答え|出力)|(?:कहें|कहो|बोलें|लिखें|दोहराएँ|बताएं|दोहराएं)|(?:বলুন|বল|লিখুন)\s?[।'\"]|พูดว่า|sabihin|katakan",
        r"\b(?:nothing\selse|and\snothing|no\sother\s(?:text|words?)|without\s(?:any\s)?(?:other|additional|extra|quot\w*|punctuation|a?\s?period|dots?|explanation|anything)|no\s(?:punctuation|periods?|dots?|explanations?|extra|quotes?|quotation)|remove\s(?:all\s)?(?:the\s)?(?:punctuation|period|dot|quote|last|final)\w*|(?:no|without|w/o|w/)\s(?:a\s|the\s|final\s|trailing\s)?(?:dot|period|full\sstop)|trim|bez\skropki|sin\spunto|ohne\spunkt|max\s\d{1,3}\s(?:characters|words|chars))\b",
        r"\b(?:start|begin|end|finish|conclude|preface|prefix|title)\s(?:\w{1,10}\s){0,4}(?:with|by|as)\b[^\n]{0,12}[\"'“‘(\[:]|\b(?:start|begin)\s(?:all\s|every\s|each\s|your\s)(?:of\s)?(?:your\s)?(?:\w{1,10}\s)?(?:outputs?|responses?|answers?|messages?|sentences?|replies)",
        r"\brepeat\s(?:after\sme|back|the\s(?:phrase|word|sentence|above|following|text)|this|everything|what)|\b(?:phrase|string|sentence|words?)\s(?:is|:|=)\s{0,2}[\"'“]|\b(?:complete|finish|fill\sin)\s(?:this|the|following)\s(?:\w{1,10}\s)?(?:sentence|phrase|blank|text|pattern)",
    ),
    "string-building": (
        r"\b(?:print|console\.log|echo|printf|println|puts|alert)\s?\(|\bconcat\w*|[\"']\s?\+\s?[\"']|\bstring\s\w{1,12}\s?=|\bvar\s\w|\binterpreter\b|\bterminal\b|\breturn\s[\"']|\bcode\s(?:output|execution)",
        r"\b(?:copycat|parrot|mimic|dictionary|let'?s\splay|game|riddle|spelling\sbee|simon\ssays|translator|echo\sbot|repeating\sbot|mirror)\b",
    ),
    "reply-in-data": (
        r"\b(?:your|the)\s(?:response|reply|answer|output|summary|code|translation|codebase|algorithm|implementation|solution|program)\b[^\n.]{0,40}(?:should|must|with|by|include|mention|that|:)|\b(?:in|to|into|of|your|for)\s(?:your|the)\s(?:response|reply|answer|output|summary|code(?:base)?|algorithm|implementation|solution|program)\b",
        r"\b(?:if|when|whenever)\s(?:the\s)?(?:user|human|person|customer|anyone|someone|you|asked)\s(?:is\s|are\s)?(?:ask|request|want|need|read|see|summari|query|process)\w*",
        r"\b(?:following|subsequent|below|this|next)\s(?:code\s)?(?:snippet|excerpt|block|fragment|segment|code|script|information|instruction|text)s?\b[^\n]{0,40}(?:into|within|in\s|to|for|should|is|must|:|and)",
        r"\b(?:embed|incorporat\w*|insert|integrat\w*|blend\w*|add|includ\w*|employ|utili[sz]e|enrich\w*|augment|enhance|weav\w*|inject|append|mention|implement)\b[^\n.]{0,60}\b(?:snippet|excerpt|code|repl(?:y|ies)|response|answer|output|summary|algorithm|link|url)\b",
        r"\b(?:before|after|once)\s(?:you\s)?(?:can\s|do\s|doing\s|complet\w*\s|solv\w*\s|finish\w*\s|answer\w*\s|that)\s?(?:\w{1,10}\s){0,4}(?:task|that|question|request|please|this)\b|\btask\s(?:that\s)?(?:i|you\swere)\s(?:gave|given|assigned)|\bstrictly\sadhere\b|\bto\syou,\s",
    ),
    "todo": (
        r"(?:^|[\n'\"])\s{0,8}(?:todo|note|system|admin|important|attention|warning|instruction|assistant|ai|hidden|update|info|notice|reminder)s?\s?(?:for\s\w+\s?)?[:!]{1,3}|<(?:information|important|system|instruction|admin|secret|note)s?>|\(system_?\s?message\)|<!--|\bdisregard\sall\sinfo|\bonly\sthe\sfollowing\b|\bcritical\sto\b",
        r"\b(?:n'oublie|note\sde\spage|hinweis\san|nota\spara|nota\sper|resultat|système?:|systeme:)|l'assistant\sdoit|(?:der|die)\sassistent\w*\s(?:muss|soll)|el\sasistente\sdebe|l'assistente\sdeve|o\sassistente\sdeve",
    ),
    # Forged turns and delimiters
    "turns": (
        r"(?:^|\n)\s{0,4}(?:user|human|assistant|ai|bot|system|me|you|chatgpt|gpt|dan|input|output|answer|response|q|a|question|feedback|translation|result|console|repeat|secret\skey|key|title|r)\s?\d{0,2}\s?(?:input|output|answer)?\s?[:>]",
        r"<\|[\w-]{2,24}\|>|\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>|</?(?:system|user|assistant|end|stop|s)(?:\sof\s\w{2,12}|[_-]\w{2,14})?>|\{\{?\$?(?:user|system|prompt|input|secret)\w*\}?\}",
        r"\b[qa]\s?:\s[^\n]{1,160}\b[qa]\s?:|\binput\s?:[^\n]{1,80}output\s?:",
    ),
    "delimiters": (
        r"[-=_#*~]{8,}|(?:^|\n)\s{0,4}[\]\)}>\"']{1,4}\s{0,3}(?:\n|[A-Z(\[]|$)|```[^\n]{0,20}\n?\s{0,3}```|\]\]|\}\}\s|\\\\{2,}|\"\"\"|\[\}",
        r"[-=#*\[]{2,8}\s{0,2}(?:end|begin|start|new|stop)\b[^\n]{0,30}[-=#*\]]{2,8}",
    ),
    "shouting": (r"(?-i)\b[A-Z]{3,}(?:[\s,'’]{1,2}[A-Z]{2,}){2,}\b", r"(?-i)\b(?:IGNORE|ONLY|MUST|NEVER|ALWAYS|EXACTLY|DO NOT|IMPORTANT|INSTEAD|DISREGARD|FORGET|ANYTHING|ANY)\b"),
    "fiction": (
        r"\b(?:hypothetical\w*|fictional|imagin\w+|in\sa\s(?:world|story|parallel|universe|movie|novel)|alternate\s(?:universe|reality|world)|suppose|thought\sexperiment|once\supon|screenplay|script\sfor|novel|storyline)\b",
    ),
    "vulgar": (r"\b(?:fuck\w*|shit\w*|bitch\w*|asshole|bastard|swear\s?words?|cuss\w*|curse\swords?|profan\w+|slurs?|meth|bomb|porn\w*|nsfw|sexual\w*|erotic\w*)\b",),
    "conversation": (
        r"\b(?:my\s(?:first|next)\s(?:question|command|request|prompt|instruction|message|sentence|suggestion)|first\s(?:question|prompt|request|command)\sis|if\syou\s(?:understand|understood|agree|accept)|(?:reply|respond|answer|say)\s(?:with\s)?[\"'“]?(?:yes|ok|understood|i\sunderstand|i\sagree)|do\syou\sunderstand|confirm\s(?:that|by|you)|acknowledge)\b",
    ),
    "encodings": (
        r"\b(?:base-?\s?64|base-?\s?32|rot-?\s?13|hex(?:adecimal)?|morse|caesar|cipher\w*|decode\w*|decrypt\w*|encod\w*|pig\slatin|leet\w*|binary|reversed?|backwards|unscramble|ascii|emoji|anagram|shift\sof)\b|(?:\b[01]{8}\s){4}|(?:[.-]{1,5}\s){8}",
    ),
    "decode-and-obey": (
        r"\b(?:decode|decrypt|decipher|unscramble|translate|interpret|convert)\b[^\n]{0,80}\b(?:follow|execute|obey|comply|run|do\swhat|carry\sout|perform|answer|act\son|respond|reply|then|and\stell|monologue)",
    ),
    # What speaks for an innocent text
    "mention": (
        r"\b(?:phrases?|prompts?|attacks?|patterns?|strings?|sentences?|words|payloads?|examples?|samples?|quotes?|quoted|quoting|paraphrases)\s(?:\w{1,12}\s){0,3}(?:like|such\sas|of|as|saying|:|is\s(?:shown|risky|unsafe|dangerous))",
        r"\b(?:detect(?:or|s|ion|ing)?|classif\w+|test\s(?:fixture|case|data|suite)|unit\stests?|fixture|assert\w*|benchmark|changelog|readme|documentation|docs|owasp|ncsc|guidance|whitepaper|slide|workshop|training\smaterial|blog\spost|red-?team|appendix|researchers?|study|studies|literature|analysts?|article|paper|mitigat\w+|defen[cs]es?|explains?\s(?:why|how)|describes?|discuss(?:es|ion|ing)|recogni[sz]e|taxonomy|glossary)\b",
    ),
    "question": (
        r"^\W{0,3}(?:what(?:'s|\sis|\sare|\swere|\sdoes|\swould)|who|when|where|why|which|how\s(?:do|can|does|to|did|is|are|would|many|much|come|should)|is\s(?:it|there)|are\sthere|does|should\si|can\si|could\sthe)\b",
        r"^\W{0,3}(?:can|could|would)\syou\s(?:please\s)?(?:explain|describe|discuss|suggest|recommend|help|elaborate|create|provide|clarify|outline|share|find|list)\b",
    ),
    "work-request": (
        r"^\W{0,3}(?:please\s)?(?:write|create|generate|design|develop|draft|describe|explain|discuss|compose|implement|analy[sz]e|compare|suggest|calculate|solve|build|make|plan|help\sme|summari[sz]e|classify|convert|fix|rewrite|edit|proofread|find|list)\s(?:a|an|the|me|how|why|some|this|my|about|in|between|\w+)\b",
        r"\b(?:java|python|c\+\+|bash|shell|javascript|sql|linux|algorithm|function|program|script)\b[^\n.]{0,60}\b(?:that|which|to|for|implements?|using)\b",
    ),
    "general": (
        r"\b(?:tell\s(?:me|us)|talk|speak|learn|know|read|write|think|questions?|facts?|tips|info(?:rmation)?|articles?|books?|text|thoughts|words|something|anything|more|advice)\s(?:\w{1,12}\s){0,2}(?:about|on)\s",
        r"^\W{0,3}(?:please\s|can\syou\s|could\syou\s)?(?:what(?:'s|\sis|\sare|\sdoes)\s(?:an?\s)?(?:\w{1,16}\s?){1,3}[?.]?(?:mean\W{0,3})?$|explain|define|describe|compare|teach|how\s(?:do|does|can|should)\s(?:i|we|you|an?|the)?|why\s(?:is|are|do|does|should)|difference\sbetween)\b",
        r"^(?:\W{0,3}[\w-]{1,16}){1,3}\W{0,3}$",
    ),
    "link": (r"https?://|www\.|\b[a-z0-9-]{3,40}\.(?:com|net|biz|org|io|xyz|ru|info)\b",),
    "email": (r"[\w.+-]{2,40}@[\w-]{2,40}\.[\w.-]{2,20}",),
    "code": (r"```|\bimport\s\w+|\bdef\s\w+\(|</?(?:html|body|div|p|head|code|h1|caption)\b|;\n|\{\n|\bfunction\s?\(",),
    "pieces": (
        r"[A-Za-z0-9]{24}|(?: [A-Za-z0-9]{2}){8} |(?: [A-Za-z0-9]{3}){8} |(?: [A-Za-z0-9]{4}){8} |(?: [A-Za-z0-9]{5}){8} |(?: [A-Za-z0-9]{6}){8} ",
    ),
}  # fmt: skip
"""Name of a cue and its expressions."""
