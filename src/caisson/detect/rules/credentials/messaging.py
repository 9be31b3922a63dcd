"""Tokens and addresses by which a machine may speak: mail, chat, telephone, social networks, webhooks."""

# ruff: noqa: E501  (an expression broken over lines is harder to check than a long one)

from __future__ import annotations

from caisson.detect.checks.secrets import distinct, random, varied
from caisson.detect.rules.credentials.form import HEX, UUID, Table, tokens

_TELLING: Table = (
    ("slack-app-token", r"\bxapp-\d-[A-Z0-9]{8,16}-\d{8,16}-[a-f0-9]{32,80}"),
    ("slack-webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{40,80}"),
    ("discord-webhook", r"discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/\d{17,20}/[A-Za-z0-9_-]{60,72}"),
    ("teams-webhook", r"webhook\.office\.com/webhookb2/[0-9a-z-]{36}@[0-9a-z-]{36}/IncomingWebhook/[0-9a-z]{32}/[0-9a-z-]{36}"),
    ("teams-old-webhook", r"outlook\.office(?:365)?\.com/webhook/[0-9a-z-]{36}@[0-9a-z-]{36}/IncomingWebhook/[0-9a-z]{32}/[0-9a-z-]{36}"),
    ("zapier-webhook", r"hooks\.zapier\.com/hooks/catch/[A-Za-z0-9/]{8,40}"),
    ("ifttt-webhook", r"maker\.ifttt\.com/trigger/[A-Za-z0-9_-]{1,40}/(?:json/)?with/key/[A-Za-z0-9_-]{20,60}"),
    ("google-chat-webhook", r"chat\.googleapis\.com/v1/spaces/[A-Za-z0-9_-]{8,16}/messages\?key=[A-Za-z0-9_-]{30,50}&token=[A-Za-z0-9_%-]{30,60}"),
    ("feishu-webhook", rf"open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/{UUID}"),
    ("dingtalk-webhook", rf"oapi\.dingtalk\.com/robot/send\?access_token={HEX}{{64}}"),
    ("wecom-webhook", rf"qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key={UUID}"),
    ("make-webhook", r"hook\.[a-z0-9]{2,4}\.make\.com/[a-z0-9]{32}|hook\.integromat\.com/[a-z0-9]{32}"),
    ("sendgrid-key", r"\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    ("mailgun-key", rf"\b(?:(?:pub)?key-{HEX}{{32}}|{HEX}{{32}}-{HEX}{{8}}-{HEX}{{8}})\b"),
    ("mailchimp-key", rf"\b{HEX}{{32}}-us\d{{1,2}}\b"),
    ("brevo-key", rf"\bx(?:keysib|smtpsib)-{HEX}{{64}}-[A-Za-z0-9]{{16}}"),
    ("mailersend-key", rf"\bmlsn\.{HEX}{{64}}"),
    ("telnyx-key", r"\bKEY[0-9A-F]{32}_[A-Za-z0-9]{22}"),
    ("onesignal-key", r"\bos_v2_(?:app|org)_[a-z2-7]{100,106}"),
    ("matrix-token", r"\bsyt_[A-Za-z0-9+/=]{4,60}_[A-Za-z0-9]{20}_[A-Za-z0-9]{6}"),
    ("facebook-app-token", r"\b\d{13,17}(?:\||%7[Cc])[A-Za-z0-9_-]{27}\b"),
    ("instagram-token", r"\bIG(?:QVJ|QWR|AA)[A-Za-z0-9_-]{60,300}"),
    ("pinterest-token", r"\bpin[ac]_[A-Z0-9]{50,130}"),
    ("nostr-key", r"\bnsec1[ac-hj-np-z02-9]{58}"),
    ("line-token", r"\b[A-Za-z0-9+/]{140,180}/1O/w1cDnyilFU="),
    ("twitch-token", r"\boauth:[a-z0-9]{30}\b"),
)  # fmt: skip
"""Nothing else begins so."""

_SHORT: Table = (
    ("discord-token", r"\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}"),
    ("chat-webhook", r"/(?:hooks|webhooks?|incoming-webhooks?)/[a-z0-9]{26}\b|/hooks/[A-Za-z0-9]{17}/[A-Za-z0-9]{40,60}"),
    ("telegram-bot-token", r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b"),
    ("twilio-key", r"\b(?:SK|AC)[0-9a-f]{32}\b"),
    ("mandrill-key", r"\bmd-[A-Za-z0-9_-]{22}\b"),
    ("resend-key", r"\bre_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}"),
    ("klaviyo-key", r"\bpk_[a-f0-9]{34}\b"),
    ("omnisend-key", rf"\b{HEX}{{24}}-[A-Za-z0-9]{{40,50}}\b", rf"{HEX}-[A-Za-z0-9]{{40}}"),
    ("intercom-token", r"\bdG9r[A-Za-z0-9+/_-]{50,60}={0,2}"),
    ("pushbullet-token", r"\bo\.[A-Za-z0-9]{32}\b"),
    ("viber-token", rf"\b{HEX}{{16}}-{HEX}{{16}}-{HEX}{{16}}\b"),
    ("facebook-token", r"\bEAA[A-Za-z0-9]{60,300}"),
    ("twitter-bearer", r"\bA{20,24}[A-Za-z0-9%]{40,150}"),
    ("twitter-token", r"\b\d{15,20}-[A-Za-z0-9]{40}\b"),
    ("linkedin-token", r"\bAQ[EUVWX][A-Za-z0-9_-]{150,400}|\bWPL_AP[01]\.[A-Za-z0-9+/=.]{20,40}"),
    ("webex-token", r"\b[A-Za-z0-9]{64}_[A-Z0-9]{2,4}\d{0,2}_[0-9a-f-]{36}", r"[A-Za-z0-9]_[A-Z0-9]{2,6}_[0-9a-f-]{36}"),
    ("ntfy-token", r"\btk_[a-z0-9]{29}\b"),
)  # fmt: skip

_DIGITS: Table = (("slack-token", r"\bxox[abeoprs](?:\.xox[bp])?-(?:\d{1,4}-)?[A-Za-z0-9-]{10,250}"),)
"""And a prefix that words may go on from: there are digits in it."""

MESSAGING = (*tokens(_DIGITS, random), *tokens(_TELLING, varied), *tokens(_SHORT, distinct))
