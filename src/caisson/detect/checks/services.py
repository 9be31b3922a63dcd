"""Is this the key of a service whose keys have no form of their own, a hexadecimal number or a UUID?

The name of the service stands before it, with nothing but words such as `key` and `token` in between.

>>> service_key(Found("0a1b2c3d4e5f60718293a4b5", "meraki_api_key = ", ""))
0.7
>>> service_key(Found("0a1b2c3d4e5f60718293a4b5", "the meraki release ", ""))
"""

from __future__ import annotations

import re

from caisson.detect.checks.secrets import keyed
from caisson.detect.rule import Found

SERVICES = frozenset(
    """
    abuseipdb abstractapi abyssale accuweather adafruit adobe adzuna aeroworkflow agora airbrake airvisual airtable
    aiven akamai alchemy alegra aletheia algolia alibaba aliyun alphavantage amadeus amplitude anypoint apacta
    apiflash apideck apify apilayer apimatic apimetrics apollo appcues appdynamics appfollow appoptics appsynergy
    appveyor apptivo artifactory artsy asana assemblyai atera atlassian auth0 authy autodesk autoklose autopilot
    avaza aviationstack avatax aws axonaut aylien ayrshare azure bannerbear baremetrics baseapi battlenet beamer
    beebole besttime betterstack billomat bing bitbar bitbucket bitcoinaverage bitfinex bitgo bitly bittrex binance
    blazemeter blitapp blockcypher blockfrost blocknative bluesky bombbomb boostnote braintree brandfetch brevo
    browserstack browshot bscscan bugherd bugsnag buildkite bulksms buttercms caflou calendarific calendly
    calorieninja campayn cannyio capsulecrm captaindata carboninterface cashboard caspio censys centralstationcrm
    cexio chartmogul chatfule chatgpt checio checklyhq checkmarket checkvist circleci clarifai clearbit clickhelp
    clicksend clicksendsms clickup cliengo clinchpad clockify clockworksms closecrm cloudconvert cloudelements
    cloudflare cloudimage cloudinary cloudmersive cloudplan cloudsmith cloverly cloze clustdoc codacy codeclimate
    codecov codemagic codequiry cohere coinapi coinbase coinlayer coinlib coingecko coinmarketcap collect2 commercejs
    companyhub confluent contentful conversiontools convertapi convertkit convier copyscape coralogix cosmosdb
    countrylayer coveralls craftmypdf crossbrowsertesting crowdin crowdstrike cryptocompare currencycloud
    currencyfreaks currencylayer currencyscoop currentsapi customerguru customerio cypress d7network dailyco
    dareboost datadog databox databricks datafire datagov debounce deepai deepgram deepl deepseek delighted detectify
    detectlanguage dfuse diffbot diggernaut digicert digitalocean discogs discord disqus dnscheck dnsimple docker
    dockerhub documo docparser docusign doppler dotdigital dovico doordash dronahq droneci drone dropbox duply dwolla
    dynalist dynatrace dyspatch eagleeyenetworks easyinsight easypost ecostruxureit edamam edenai eightxeight
    elasticemail elevenlabs enablex endorlabs equinix esri etherscan ethplorer etsy eventbrite everhour exchangerate
    exchangeratesapi exportsdk extractorapi facebook faceplusplus facepp fastforex fastly fastspring fauna feedly
    fetchrss fibery figma fileio filestack finage findl finicity finnhub fireworks fixer fixerio fleetbase flatio
    flexport flickr flightapi flightlabs flightstats flowflu flutterwave fmfw formbucket formcraft formsite
    foursquare frameio freshbooks freshdesk freshservice fulcrum fullstory fusebill fxmarket gcp gemini gengo
    geoapify geocode geocodify geocodio geoipifi getblock getemail getemails getgeoapi getgist getresponse getsandbox
    giphy github gitea gitlab gitter glassnode gocanvas gocardless godaddy goodday google graphcms graphhopper
    grafana greenhouse groovehq groq gtmetrix guardianapi gumroad gyazo happyscribe harness harvest heatmapapi
    hellosign helpcrunch helpscout hereapi heroku hetzner hiveage holidayapi holistic honeybadger honeycomb hostinger
    html2pdf hubspot huggingface humanity hunter hybiscus hypertrack ibm iconfinder iexapis iexcloud imagekit imagga
    imgbb imgix imgur infobip infura insightly instabot instagram instamojo integromat intercom interseller intrinio
    invoiceocean ip2location ipapi ipgeolocation ipify ipinfo ipinfodb ipquality ipstack jdbc jenkins jira jiratoken
    jotform jsonbin kairos kaleyra kanbantool keenio keycdn kickbox kinesis klaviyo klipfolio knapsackpro kontent
    kraken kucoin lambdatest langfuse langsmith larksuite lastfm launchdarkly leadfeeder legiscan lemlist lendflow
    lessannoyingcrm lexigram linear linemessaging linenotify linkedin linkpreview linode livechat liveagent livestorm
    llamaindex locationiq loggly loginradius logdna logrocket logz logzio lokalise loyverse lunchmoney madkudu
    magicbell magento mailboxlayer mailchimp mailerlite mailersend mailgun mailjet mailmodo mailsac mailtrap mandrill
    mapbox mapquest marketstack mattermost mavenlink maxmind meaningcloud mediastack meetup meistertask meraki mesibo
    messagebird metaapi metabase metrilo microsoft miro mistral mite mixmax mixpanel mockaroo monday mongodb
    monkeylearn moonclerk moonclerck moosend moralis mrticktock mux myexperiment myfreshworks myintervals nasa
    nasdaqdatalink nethunt netcore netlify netsuite neutrinoapi newrelic newsapi newscatcher nexmo nftport ngc ngrok
    nicereply nightfall nimble notion nozbeteams npm nubela nuget numverify nutritionix nvapi nylas nytimes oanda
    octopus okta omnisend onbuka onedesk onelogin onepagecrm onesignal onwaterio oopspam openai opencagedata opencage
    opengraphr openuv openvpn openweather openweathermap opsgenie optimizely oracle overloop owlbot packagecloud
    pagarme pagerduty pandadoc pandascore paperform papertrail paralleldots parsehub parseur partnerstack passbase
    pastebin paydirtapp paymo paymongo paypal paystack pdflayer pdfshift peopledatalabs pepipost perplexity
    phantombuster photoroom pinata pinboard pinecone pingdom pipedream pipedrive pivotaltracker pixabay plaid planhat
    planview planviewleankit planyo plivo podio pollsapi poloniex polygonscan positionstack postageapi postbacks
    posthog postman postmark powrbot prefect privateai privatekey procore prodpad prospectcrm proxycrawl pubnub
    pulumi purestake pusher pushbullet pushover qase qualaroo qubole quickbase quickbooks quickmetrics rambl rapidapi
    razorpay readme rechargepayments recaptcha reachmail recurly reddit redis render rentman repairshopr replicate
    replyio requestfinance restpack restpackhtmltopdf revamp revampcrm ringcentral ritekit roaring robinhood
    rocketreach rollbar ronin route4me rownd rubygems runrunit salesblink salescookie salesflare salesforce salesloft
    salesmate sanity satismeter saucelabs scalewaykey scaleway scalr scrapeowl scraperapi scraperbox scraperstack
    scrapestack scrapfly scrapingant scrapingbee scrapingdog scrapersite screenshotapi screenshotlayer scrutinizer
    securitytrails selectpdf semaphore semrush sendbird sendgrid sendinblue sentry serphouse serpstack sheety
    sherpadesk shipday shippo shodan shopify shotstack shutterstock signable signalwire signaturit signupgenius
    sigopt simfin simplybook simplynoted simvoly sinch sirv siteleaf skrapp skybiometry slack smartsheet
    smartystreets smooch snipcart snowflake snyk sonar sonarcloud sonarqube dsonar soundcloud sourcegraph sparkpost
    speechtext spendesk splunk splunkobservability spoonacular sportradar sportsmonk spotify squarespace squareup
    sslmate statuscake statuspage statuspal statsig stitchdata stockdata storecove stormboard stormglass storyblok
    storychief strava stripe stripo stytch sugester sumologic supabase supernotes surveyanyplace surveybot
    surveysparrow survicate swiftype tableau tailscale tallyfy tatum tatumio taxjar teamgate teamwork teamworkcrm
    teamworkdesk teamworkspaces technicalanalysisapi telegram telnyx tencent text2data textmagic theoddsapi thinkific
    thousandeyes ticketmaster ticktick tickettailor tiingo timecamp timezoneapi tinypng tinify tmetric todoist toggl
    tomorrowio tomtom tradier transferwise travelperk travelpayouts travis travisci trello trengo troopmessenger
    trufflehog twelvedata twilio twist twitch twitter tyntec typeform typetalk ubidots uclassify unbounce unplugg
    upcdatabase uplead uploadcare upstash upwave uptimerobot upwork urlscan userflow userstack vagrantcloud vatlayer
    vercel verimail veriphone versioneye viewneo virustotal visualcrossing voiceflow voicegain voodoosms vouchery
    vpnapi vultr vyte wakatime walkscore weatherbit weatherstack weaviate web3storage webex webflow webscraper
    webscraping websitepulse weightsandbiases wandb whoxy wistia wordpress workato workos workstack worksnaps
    worldcoinindex worldweather wrike xero yandex yelp yext yodlee youneedabudget youtube ynab yousign zapier
    zapierwebhook zendesk zenkit zenrows zenscrape zenserp zeplin zerobounce zerotier zipapi zipbooks zipcodeapi
    zipcodebase zohocrm zoho zonkafeedback zoom zuora django flask rails laravel symfony kafka keycloak minio
    rabbitmq elasticsearch postgres mysql mssql mariadb kubernetes jfrog harbor rancher codefresh teamcity argocd
    spinnaker artifacthub particle pagertree opsramp squadcast zenduty logtail sematext instana bitrise appcenter
    testflight
    """.split()  # noqa: SIM905  (a list of hundreds of lines helps nobody)
)
"""Services that a system is likely to call, lower case. Common words (`front`, `square`) are left out: a name that is
missing costs only the key that nothing but the name gives away."""
KEY_WORDS = frozenset(
    """
    key keys secret secrets token tokens private access api apikey auth oauth oauth2 authorization bearer pass password
    pwd login credential credentials code sid crumb license app application account user admin client live test prod dev
    production webhook hook const export string var let default value service personal pat is the my our rest http
    header x v1 v2 v3 server
    """.split()  # noqa: SIM905
)
"""Words that may stand between the name and its key."""
WORDS_BETWEEN_MAX = 6
LEAST = 10
"""Characters of the shortest keys."""
SHORT = 16
"""Shorter values need one of the words that mean a key."""
_KEY = frozenset(
    ["key", "secret", "token", "apikey", "private", "access", "password", "pwd", "auth", "crumb", "bearer", "login"]
)
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])")
_NEAR = re.compile(r"[\"'`=:>,(\s-]$|(?i:key|token|secret|access|private)\.$")
_SUFFIX = re.compile(r"(?:api)?(?:key|token|secret|access|private)$")


def service_key(found: Found) -> float | None:
    """See the module."""
    before, value = found.before, found.value
    if len(value) < LEAST or not _NEAR.search(before):
        return None
    named = False
    for count, word in enumerate(reversed(_WORD.findall(before))):
        lower = word.lower()
        if lower in SERVICES or _SUFFIX.sub("", lower) in SERVICES:
            enough = len(value) >= SHORT or named or _SUFFIX.search(lower)
            return 0.7 if enough and keyed(found) else None
        if lower not in KEY_WORDS or count >= WORDS_BETWEEN_MAX:
            return None
        named = named or lower in _KEY
    return None
