//! What each dialect says, as data: reply code and text for every occasion.

use super::Words;

pub(super) const POSTFIX: Words = Words {
    unknown: (
        550,
        "5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table",
    ),
    disabled: (
        550,
        "5.2.1 <{to}>: Recipient address rejected: this mailbox is disabled",
    ),
    full: (
        452,
        "4.2.2 <{to}>: Recipient address rejected: Mailbox is full, quota exceeded",
    ),
    grey: (
        450,
        "4.2.0 <{to}>: Recipient address rejected: Greylisted, please try again in 300 seconds",
    ),
    spam: (
        554,
        "5.7.1 Service unavailable; Client host [{ip}] blocked using bl.example.org; listed since Monday",
    ),
    policy: (
        550,
        "5.7.1 <{to}>: Recipient address rejected: SPF check failed for the sending domain",
    ),
    content: (550, "5.7.1 {id}: message content rejected as spam"),
    deferred: (451, "4.3.0 <{to}>: Temporary lookup failure"),
    novel: (
        554,
        "The committee of this server has met and does not wish to hear from you, ticket {id}",
    ),
    relay: (554, "5.7.1 <{to}>: Relay access denied"),
    connections: (421, "4.7.0 {host} Error: too many connections from {ip}"),
    rate: (450, "4.7.1 Error: too much mail from {ip}"),
};

pub(super) const EXIM: Words = Words {
    unknown: (550, "Unrouteable address"),
    disabled: (550, "The account <{to}> is suspended"),
    full: (552, "Mailbox of <{to}> is over quota"),
    grey: (
        451,
        "Greylisted: the address has not been seen before, please try again later",
    ),
    spam: (
        550,
        "Rejected because {ip} is in a black list at bl.example.org",
    ),
    policy: (550, "Sender verify failed"),
    content: (550, "This message scored too high as spam"),
    deferred: (451, "Temporary local problem - please try later"),
    novel: (
        550,
        "Turnstile 7 did not recognise the shape of this parcel",
    ),
    relay: (550, "relay not permitted"),
    connections: (
        421,
        "Too many concurrent SMTP connections from this IP address; please try again later",
    ),
    rate: (
        421,
        "{host}: too many messages in one connection, try again later",
    ),
};

pub(super) const EXCHANGE: Words = Words {
    unknown: (
        550,
        "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {to} not found by SMTP address lookup",
    ),
    disabled: (
        550,
        "5.2.1 RESOLVER.ADR.MailboxDisabled; the mailbox is disabled",
    ),
    full: (
        552,
        "5.2.2 STOREDRV.Deliver; mailbox full, the quota is exceeded",
    ),
    grey: (451, "4.7.1 Please try again later"),
    spam: (
        550,
        "5.7.1 Message rejected due to sender reputation, IP {ip}",
    ),
    policy: (
        550,
        "5.7.1 RESOLVER.RST.AuthRequired; authentication required",
    ),
    content: (550, "5.7.1 Message rejected as spam by Content Filtering."),
    deferred: (452, "4.3.1 Insufficient system resources"),
    novel: (
        550,
        "5.0.0 Article 12 of the house rules applies to you ({id})",
    ),
    relay: (550, "5.7.1 Unable to relay"),
    connections: (
        421,
        "4.3.2 The maximum number of concurrent connections has exceeded a limit, closing transmission channel",
    ),
    rate: (
        421,
        "4.4.2 Message submission rate for this client has exceeded the configured limit",
    ),
};

pub(super) const QMAIL: Words = Words {
    unknown: (550, "sorry, no mailbox here by that name (#5.1.1)"),
    disabled: (550, "sorry, this account is disabled (#5.2.1)"),
    full: (552, "sorry, that mailbox is over quota (#5.2.2)"),
    grey: (451, "temporary failure, come back later (#4.3.0)"),
    spam: (
        553,
        "sorry, your mail server {ip} is on our blocklist (#5.7.1)",
    ),
    policy: (
        553,
        "sorry, your envelope sender is in my badmailfrom list (#5.7.1)",
    ),
    content: (554, "mail server permanently rejected message (#5.3.0)"),
    deferred: (421, "unable to read controls (#4.3.0)"),
    novel: (553, "the gate is painted blue on odd days"),
    relay: (
        553,
        "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
    ),
    connections: (421, "too many connections from {ip} (#4.4.5)"),
    rate: (421, "too many messages in this session (#4.7.0)"),
};

pub(super) const GMAIL: Words = Words {
    unknown: (
        550,
        "5.1.1 The email account that you tried to reach does not exist. Please check\n5.1.1 the recipient's address for typos or unnecessary spaces. {id} - gsmtp",
    ),
    disabled: (
        550,
        "5.2.1 The email account that you tried to reach is disabled. {id} - gsmtp",
    ),
    full: (
        452,
        "4.2.2 The email account that you tried to reach is over quota. Please direct\n4.2.2 the recipient to their storage settings. {id} - gsmtp",
    ),
    grey: (
        450,
        "4.2.1 The user you are trying to contact is receiving mail too quickly.\n4.2.1 Please resend your message at a later time. {id} - gsmtp",
    ),
    spam: (
        550,
        "5.7.1 [{ip}] Our system has detected that this message is likely unsolicited\n5.7.1 mail. It has been blocked because of the sender's reputation. {id} - gsmtp",
    ),
    policy: (
        550,
        "5.7.26 This mail has been blocked because the sender is unauthenticated.\n5.7.26 SPF or DKIM must pass for the From domain. {id} - gsmtp",
    ),
    content: (
        552,
        "5.7.0 This message was blocked because its content presents a potential\n5.7.0 security issue. {id} - gsmtp",
    ),
    deferred: (
        421,
        "4.7.28 [{ip}] An unusual rate of unsolicited mail comes from your IP address.\n4.7.28 To protect users, mail has been rate limited temporarily. {id} - gsmtp",
    ),
    novel: (
        550,
        "5.9.9 Please align the second moon before sending. {id} - gsmtp",
    ),
    relay: (550, "5.7.1 Relaying denied. {id} - gsmtp"),
    connections: (421, "4.7.0 Too many connections from {ip}. {id} - gsmtp"),
    rate: (
        421,
        "4.7.28 The IP address {ip} sent too many messages, try again later. {id} - gsmtp",
    ),
};

pub(super) const OUTLOOK: Words = Words {
    unknown: (
        550,
        "5.5.0 Requested action not taken: mailbox unavailable. [{host} {id}]",
    ),
    disabled: (
        550,
        "5.2.1 The mailbox {to} is inactive and cannot take messages [{host} {id}]",
    ),
    full: (552, "5.2.2 <{to}>: user is over quota [{host} {id}]"),
    grey: (
        451,
        "4.7.500 Server busy. Please try again later from [{ip}]. (S77714) [{host} {id}]",
    ),
    spam: (
        550,
        "5.7.1 Unfortunately, messages from [{ip}] weren't sent. Part of the network is on our block list (S3140). [{host} {id}]",
    ),
    policy: (
        550,
        "5.7.515 Access denied, the sending domain does not meet the required authentication level. [{host} {id}]",
    ),
    content: (
        554,
        "5.2.0 Message refused: the content is not allowed [{host} {id}]",
    ),
    deferred: (
        451,
        "4.7.650 The mail server [{ip}] has been temporarily rate limited due to IP reputation. (S775) [{host} {id}]",
    ),
    novel: (550, "5.8.42 The lantern in the hall is out [{host} {id}]"),
    relay: (
        550,
        "5.4.1 Recipient address rejected: Access denied. [{host} {id}]",
    ),
    connections: (
        421,
        "4.3.2 Too many concurrent connections from [{ip}] (RP-001) [{host}]",
    ),
    rate: (
        421,
        "4.7.0 The hourly message limit for [{ip}] is exceeded (RP-002) [{host}]",
    ),
};

pub(super) const YAHOO: Words = Words {
    unknown: (552, "1 Requested mail action aborted, mailbox not found"),
    disabled: (
        554,
        "delivery error: dd This user doesn't have an account here ({to}) [-5] - {host}",
    ),
    full: (552, "5.2.2 The mailbox of {to} is over its quota - {host}"),
    grey: (451, "4.3.2 [GL01] Message from ({ip}) temporarily deferred"),
    spam: (
        553,
        "5.7.1 [BL21] Connections will not be accepted from {ip}, because the IP is on a block list",
    ),
    policy: (554, "5.7.9 Message not accepted for policy reasons"),
    content: (
        554,
        "5.7.9 Message not accepted for policy reasons: content [{id}]",
    ),
    deferred: (
        421,
        "4.7.0 [TSS04] Messages from {ip} temporarily deferred due to unexpected volume or user complaints - 4.16.55.1",
    ),
    novel: (554, "5.9.1 [ZZ99] The kite is not flying - {host}"),
    relay: (550, "5.7.1 relaying denied for {to}"),
    connections: (421, "4.7.0 [TS02] Too many connections from {ip}"),
    rate: (
        421,
        "4.7.0 [TS03] All messages from {ip} will be deferred for a while",
    ),
};

pub(super) const ICLOUD: Words = Words {
    unknown: (550, "5.1.1 <{to}>: user does not exist"),
    disabled: (
        550,
        "5.1.6 <{to}>: the recipient no longer has a mailbox on this system",
    ),
    full: (552, "5.2.2 <{to}>: user is over quota"),
    grey: (451, "4.7.1 <{to}>: service unavailable - try again later"),
    spam: (
        554,
        "5.7.1 [CS01] Message rejected due to local policy. Client {ip}",
    ),
    policy: (
        550,
        "5.7.1 Your email was rejected because the sending domain does not pass DMARC verification",
    ),
    content: (554, "5.7.1 [HM08] Message rejected due to local policy."),
    deferred: (450, "4.2.2 <{to}>: the mailbox is busy, try again later"),
    novel: (554, "5.7.77 The orchard has a gate, and the gate has a cat"),
    relay: (550, "5.7.1 <{to}>: relaying denied"),
    connections: (421, "4.7.0 {host}: too many open connections from {ip}"),
    rate: (421, "4.7.1 Message rate exceeded for {ip}"),
};

pub(super) const ORANGE: Words = Words {
    unknown: (
        550,
        "5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]",
    ),
    disabled: (
        550,
        "5.2.1 Compte inactif. Account is not active. OFR_415 [415]",
    ),
    full: (
        552,
        "5.2.2 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]",
    ),
    grey: (
        451,
        "4.7.1 Service temporairement indisponible. Veuillez essayer plus tard. OFR_405 [405]",
    ),
    spam: (
        550,
        "5.7.1 Mail refuse. Mail rejected, source {ip}. OFR_506 [506]",
    ),
    policy: (
        550,
        "5.7.1 Service refuse. Veuillez essayer plus tard. Service refused. OFR_102 [102]",
    ),
    content: (
        554,
        "5.7.1 Votre message a ete refuse. Message identified as spam. OFR_515 [515]",
    ),
    deferred: (
        421,
        "4.3.2 Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_101 [101]",
    ),
    novel: (550, "5.9.0 Le phare est eteint ce soir. OFR_998 [998]"),
    relay: (550, "5.7.1 Relais interdit. Relaying denied. OFR_420 [420]"),
    connections: (
        421,
        "{host} Trop de connexions, veuillez verifier votre configuration. Too many connections. OFR004_104 [104]",
    ),
    rate: (
        421,
        "{host} Service refuse. Veuillez essayer plus tard. Too many messages. OFR004_105 [105]",
    ),
};

pub(super) const FREE: Words = Words {
    unknown: (550, "5.1.1 <{to}>: Utilisateur inconnu - User unknown"),
    disabled: (
        550,
        "5.2.1 This mailbox has been blocked due to inactivity (UserSearch)",
    ),
    full: (552, "5.2.2 <{to}>: Boite pleine - mailbox full"),
    grey: (
        451,
        "4.7.1 <{to}>: too many unknown visitors today, try again later (greylist {id})",
    ),
    spam: (550, "5.7.1 spam detected, [{ip}] has a bad reputation"),
    policy: (
        554,
        "5.7.1 <{to}>: Client host [{ip}] has no valid reverse name",
    ),
    content: (550, "5.7.1 spam detected in the message ({id})"),
    deferred: (
        451,
        "4.3.0 Service temporairement indisponible, too many errors from your ip {ip}",
    ),
    novel: (550, "5.0.9 Le facteur est parti avec la bicyclette"),
    relay: (554, "5.7.1 <{to}>: Relay access denied"),
    connections: (
        421,
        "Too many simultaneous connections from {ip}, come back later",
    ),
    rate: (421, "Too many mails from {ip}, come back later"),
};

pub(super) const GMX: Words = Words {
    unknown: (
        550,
        "Requested action not taken: mailbox unavailable\nFor explanation visit postmaster.example/error-messages?ip={ip}&c=rcpt",
    ),
    disabled: (
        550,
        "Requested action not taken: mailbox unavailable\nThe account {to} is closed",
    ),
    full: (
        552,
        "Requested mail action aborted: exceeded storage allocation\nQuota exceeded. The recipient mailbox is full.",
    ),
    grey: (
        450,
        "Requested mail action not taken: mailbox unavailable\nGreylisted, try again later",
    ),
    spam: (
        554,
        "Transaction failed\nReject due to policy restrictions: bad reputation of {ip}",
    ),
    policy: (
        554,
        "Transaction failed\nReject due to domain policy (DMARC)",
    ),
    content: (
        554,
        "Transaction failed\nReject due to policy violations: unsolicited mail",
    ),
    deferred: (
        450,
        "Requested mail action not taken: mailbox unavailable\nEmail event limit exceeded, try later",
    ),
    novel: (
        554,
        "Transaction failed\nThe clockmaker of tower 4 is on a journey",
    ),
    relay: (
        550,
        "Requested action not taken: mailbox unavailable\nNo relay for {to}",
    ),
    connections: (
        421,
        "{host} Service not available\nToo many connections from {ip}",
    ),
    rate: (
        421,
        "{host} Service not available\nToo many mails, rate limit for {ip}",
    ),
};

pub(super) const MAIL_RU: Words = Words {
    unknown: (
        550,
        "Message was not accepted -- invalid mailbox. Local mailbox {to} is unavailable: user not found",
    ),
    disabled: (
        550,
        "Message was not accepted -- invalid mailbox. Local mailbox {to} is unavailable: account is disabled",
    ),
    full: (
        552,
        "Message was not accepted -- mailbox of {to} is full, quota exceeded",
    ),
    grey: (451, "Greylisting in action, try again later, {id}"),
    spam: (
        550,
        "spam message rejected: bad reputation of [{ip}]. Please visit the sender's page, code {id}",
    ),
    policy: (
        550,
        "Message rejected by DMARC policy of the sending domain",
    ),
    content: (550, "spam message rejected. Code {id}"),
    deferred: (
        451,
        "Try again later: the limit of messages for your domain is exceeded",
    ),
    novel: (550, "The samovar is cold, code {id}"),
    relay: (550, "relaying is not allowed for {to}"),
    connections: (421, "Too many connections from {ip}, try again later"),
    rate: (421, "Ratelimit exceeded for [{ip}], try again later"),
};

pub(super) const YANDEX: Words = Words {
    unknown: (550, "5.7.1 No such user!"),
    disabled: (
        550,
        "5.7.1 Policy rejection on the target address: the mailbox is blocked",
    ),
    full: (552, "5.2.2 Mailbox size limit exceeded"),
    grey: (
        451,
        "4.7.1 Sorry, the service is currently unavailable. Please come back later. {id}",
    ),
    spam: (
        554,
        "5.7.1 [2] Message rejected under suspicion of SPAM: [{ip}] {id}",
    ),
    policy: (
        550,
        "5.7.1 Sender domain does not pass the authentication check",
    ),
    content: (
        554,
        "5.7.1 [1] Message rejected under suspicion of SPAM; {id}",
    ),
    deferred: (
        451,
        "4.5.1 The recipient <{to}> has exceeded their message rate limit. Try again later.",
    ),
    novel: (554, "5.9.7 The bridge is raised at night ({id})"),
    relay: (550, "5.7.1 relaying is denied"),
    connections: (421, "4.7.0 {host} too many connections from {ip}"),
    rate: (421, "4.7.0 {host} too many messages, slow down. {id}"),
};
